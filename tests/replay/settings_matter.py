#!/usr/bin/python3
"""settings_matter.py RUNNER: every setting of every policy module does something.

Each setting that a configuration of a replay script names is taken out in turn, and the
script is run without it. A setting that docs/CONFIG.md knows and whose absence no script
notices is a finding: either no test looks at it, or the code ignores it.
"""
import os
import re
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not installed")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
# One piece of code serves these for every module: one module shows each of them.
SHARED = ("mode", "on_fail")
# Outside the chain; what stands in tests/settings.tsv instead is checked by lint.tests.
ELSEWHERE = re.compile(r"deadline\..*|(?!recipient_delimiter)[^.]*")


def documented():
    """The settings of section policyd: "module.key"; groups themselves are left out."""
    with open(os.path.join(HERE, "..", "..", "docs", "CONFIG.md"), encoding="utf-8") as f:
        section = re.search(r"^## policyd$(.*?)^## ", f.read(), re.M | re.S)[1]
    return [name for name, kind in re.findall(r"^\| `([\w.]+)` \| (\w+)", section, re.M)
            if kind != "group" and not ELSEWHERE.fullmatch(name)]


def leaves(settings, path=()):
    """The paths of all settings in a configuration."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def without(settings, path):
    """A copy without that setting."""
    return {key: without(value, path[1:]) if len(path) > 1 and key == path[0] else value
            for key, value in settings.items() if (key,) != path}


def variants(script):
    """(setting, script without it) for each setting of each configuration."""
    for block in re.finditer(r"^config\n(.*?)^end$", script, re.M | re.S):
        settings = yaml.load(block[1], yaml.BaseLoader) or {}
        for path in leaves(settings):
            left = yaml.safe_dump(without(settings, path), width=4000)
            yield ".".join(path), script[:block.start(1)] + left + script[block.end(1):]


def is_noticed(runner, script):
    """Whether the script fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".rpl", encoding="utf-8") as f:
        f.write(script)
        f.flush()
        return subprocess.run([runner, f.name], capture_output=True, check=False,
                              timeout=60).returncode != 0


def main(runner):
    """Report the settings that nobody would miss."""
    noticed = set()
    for name in sorted(os.listdir(HERE)):
        if not name.endswith(".rpl"):
            continue
        with open(os.path.join(HERE, name), encoding="utf-8") as f:
            script = f.read()
        for setting, variant in variants(script):
            if setting not in noticed and is_noticed(runner, variant):
                noticed.add(setting)
    leaf = {setting.rpartition(".")[2] for setting in noticed}
    missed = [setting for setting in documented() if setting not in noticed
              and not (setting.rpartition(".")[2] in SHARED and
                       setting.rpartition(".")[2] in leaf)]
    for setting in missed:
        print(f"policyd.{setting}: no replay script fails without it. Give it another "
              f"value than its default in a config of tests/replay/*.rpl (settings.rpl "
              f"takes those that have no other place), and expect what comes of it.")
    print(f"settings of modules: {len(noticed)} noticed, {len(missed)} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
