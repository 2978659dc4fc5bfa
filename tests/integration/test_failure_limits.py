"""The failure matrix, what runs out: Redis without memory or disk, Dovecot's Redis dead,
slow or full of foreign values, a scanner's worker without memory, a full disk for samples.

Each under load: no message is refused, the degraded check shows in log, metric, /healthz
and `mxdropctl status`, and goes by itself.
"""
import concurrent.futures
import contextlib
import os
import pathlib
import resource
import signal
import subprocess

import pytest

import harness
from conftest import with_postfix
from test_failure_matrix import (busy_worker, degraded, in_status, is_sound, load, send,
                                 settings, works_again)
from test_failures import quick
from test_modules import Dovecot


@contextlib.contextmanager
def tmpfs(path, size):
    """A file system of that size at path, or skip."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill(path):
    """Write until nothing more fits."""
    with open(path / "filler", "wb", buffering=0) as out:
        with contextlib.suppress(OSError):
            while out.write(bytes(4096)):
                pass


@pytest.fixture(name="one", scope="module")
def fixture_one():
    """One policyd that asks Dovecot's Redis for usage, two scanners, Postfix in front."""
    directory = harness.private_dir()
    dovecot = Dovecot(directory)

    def edit(conf):
        settings(conf)
        conf["redis"]["dovecot"] = {"address": f"unix:{dovecot.socket}", "prefix": "q:"}
    try:
        with harness.Cluster(policyds=1, scanners=2, edit=edit) as cluster:
            cluster.port, cluster.sink = with_postfix(cluster)
            cluster.dovecot = dovecot
            yield cluster
    finally:
        dovecot.stop()
        harness.shutil.rmtree(directory)


def is_seen(cluster, check, metric_module=None):
    """The check shows in /healthz and status, and where a module fails in its metric."""
    harness.wait_until(lambda: check in degraded(cluster, "policyd-1"), f"degraded={check}")
    harness.wait_until(lambda: check in in_status(cluster, "policyd"), f"{check} in status")
    if metric_module:
        harness.wait_until(lambda: cluster.metric(
            "policyd-1", "mxdrop_policy_module_total", module=metric_module,
            outcome="fail") > 0, f"{metric_module} to fail")


# -- store --------------------------------------------------------------------------------


def test_store_out_of_memory_under_load(one):
    """maxmemory reached, nothing may be evicted: writes are refused, so it is down."""
    lines = one.log("policyd-1").count("store.down")
    with load(one) as running:  # a module is sound again with the first check that works
        one.redis("CONFIG", "SET", "maxmemory", "1")
        running.more(8)
        is_seen(one, "store")
        one.wait_log("policyd-1", r"store\.down .*OOM", seen=lines)
        one.redis("CONFIG", "SET", "maxmemory", "0")
        is_sound(one, "policyd-1", "store")
        is_sound(one, "policyd-1", "greylist")


def test_store_disk_full_under_load(cluster_of):
    """The append-only file cannot grow: writes are refused until there is room again."""
    cluster = cluster_of(policyds=1, scanners=1, edit=settings)
    cluster.port, cluster.sink = with_postfix(cluster)
    disk = cluster.dir / "redis"
    cluster.kill("redis")
    with tmpfs(disk, "2m"):
        cluster.revive("redis")
        is_sound(cluster, "policyd-1", "store")
        with load(cluster) as running:
            fill(disk)
            running.more(8)
            is_seen(cluster, "store")
            cluster.wait_log("policyd-1", r"store\.down .*MISCONF")
            (disk / "filler").unlink()
            is_sound(cluster, "policyd-1", "store")
        works_again(cluster, "room again")
        cluster.kill("redis")


# -- quota source -------------------------------------------------------------------------


def test_quota_source_killed_under_load(one):
    """kill -9: nobody is over quota by ignorance; used again when it is back."""
    with load(one) as running:
        one.dovecot.stop()
        running.more(8)
        is_seen(one, "dovecot")
        one.wait_log("policyd-1", r"dovecot\.down")
        one.dovecot.start()
        is_sound(one, "policyd-1", "dovecot")
        is_sound(one, "policyd-1", "quota_check")


def test_quota_source_slow_under_load(one):
    """SIGSTOP: a check waits its budget for it, and the connection is given up."""
    with load(one) as running:
        one.dovecot.process.send_signal(signal.SIGSTOP)
        try:
            running.more(8)
            is_seen(one, "dovecot")
        finally:
            one.dovecot.process.send_signal(signal.SIGCONT)
        is_sound(one, "policyd-1", "dovecot")
        is_sound(one, "policyd-1", "quota_check")


def test_quota_source_missing_and_foreign_under_load(one):
    """No usage, or one that is no number: missing is not zero, and not over."""
    user = "bob@example.test"
    one.ctl("quota", "set", user, "limit=1KiB")
    try:
        with load(one) as running:
            running.more(8)
            one.dovecot.say("SET", f"q:{user}/quota/storage", "a lot")
            running.more(8)
            is_seen(one, "quota_check", "quota_check")
            one.dovecot.say("DEL", f"q:{user}/quota/storage")
            is_sound(one, "policyd-1", "quota_check")
        one.dovecot.say("SET", f"q:{user}/quota/storage", "2048")
        assert send(one, "over").rcpts[user][0] == 450
    finally:
        one.dovecot.say("DEL", f"q:{user}/quota/storage")
        one.ctl("quota", "set", user, "limit=1GiB")
    works_again(one, "under quota")


# -- scand --------------------------------------------------------------------------------


def workers_of(cluster, name):
    """Process ids of a scanner's workers: the children of its engine parent."""
    def children(pid):
        path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        return [int(word) for word in path.read_text().split()]
    return [pid for engine in children(cluster.pid(name)) for pid in children(engine)]


def test_scand_worker_out_of_memory_under_load(one):
    """No address space left for a worker: it costs a message a retry, not its delivery."""
    if "asan" in harness.run(["ldd", harness.program("mxdrop-scand")]).stdout:
        pytest.skip("AddressSanitizer needs the address space that this test takes away")
    victim = workers_of(one, "scand-1")[0]
    size = int(pathlib.Path(f"/proc/{victim}/statm").read_text().split()[0]) * 4096
    with load(one, 8) as running:
        resource.prlimit(victim, resource.RLIMIT_AS, (size, size))
        running.more(60)
        if harness.is_alive(victim):
            os.kill(victim, signal.SIGKILL)
        running.more(8)
    harness.wait_until(lambda: len(set(workers_of(one, "scand-1")) - {victim}) >= 2,
                       "another worker in its place")
    assert one.metric("scand-1", "mxdrop_scan_messages_total", outcome="poison") == 0


def test_poison_is_held_without_room_for_a_sample(cluster_of):
    """The disk for samples is full: the message is held all the same, and the log says."""
    def slow(conf):
        quick(conf)
        conf["scand"].update(workers=1, scan_delay="2s")
    cluster = cluster_of(policyds=1, scanners=1, edit=slow)
    cluster.port, cluster.sink = with_postfix(cluster)
    samples = cluster.dir / "poison"
    with tmpfs(samples, "64k"):
        fill(samples)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            reply = pool.submit(send, cluster, "poison")
            for _ in range(2):
                victim = harness.wait_until(lambda: busy_worker(cluster), "a worker at work")
                os.kill(victim, signal.SIGKILL)
                harness.wait_until(lambda pid=victim: busy_worker(cluster) != pid,
                                   "the worker to be missed")
            assert reply.result().final[0] == 250, reply.result().final
        assert cluster.metric("milter", "mxdrop_shim_messages_total", outcome="hold") == 1
        cluster.wait_log("scand-1", r"poison.*(No space left|sample)")
        assert not [p for p in samples.iterdir() if p.name != "filler" and p.stat().st_size]
    works_again(cluster, "after poison")
