"""What ./quickstart runs: `mxdropctl up` as it is without options, and the demonstration,
through Postfix and, as on machines where Postfix cannot run, over the milter protocol."""
import os
import shutil
import sys

import pytest

import harness


@pytest.mark.parametrize("options", [[], ["--smtp", "0"]], ids=["postfix", "milter"])
def test_every_reply_of_the_demonstration_is_as_expected(options):
    """Two runs against one cluster: the second finds the state of the first."""
    if not options and os.geteuid() != 0:
        pytest.skip("no Postfix in this test: Postfix needs root to start")
    directory = harness.private_dir()
    arguments = [harness.program("mxdropctl"), "up", "--dir", str(directory / "up"), *options]
    up = harness.Process(arguments, directory / "up.log")
    ready = directory / "up" / "up.json"
    try:
        harness.wait_until(lambda: ready.exists() or not up.running(), "up", harness.START_S)
        assert up.running(), up.log()
        assert ('"smtp":null' in ready.read_text()) == bool(options)
        for _ in range(2):
            demo = harness.run([sys.executable, "-B", harness.TOP / "deploy" / "demo.py",
                                directory / "up"], check=False)
            assert demo.returncode == 0, demo.stdout + demo.stderr
            assert "Every reply was as expected" in demo.stdout
            for module in ("greylist", "virus", "spam", "fq_rcpt", "user_lists"):
                assert f" {module} " in demo.stdout
    finally:
        status = up.stop()
        log = up.log()
        shutil.rmtree(directory, ignore_errors=True)
    assert status == 0, log
