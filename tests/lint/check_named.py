#!/usr/bin/python3
"""check_named.py BUILD_DIR: what users can see is named in a test.

Settings: those of policy modules are proven by tests/replay/settings_matter.py; every other
one of docs/CONFIG.md has a line in tests/settings.tsv with the test that shows it at work.
Commands and options of the programs, symbols of detectors and metrics stand, by their name,
in some file below tests/; what cannot stands in tests/unnamed.tsv, with the reason. The
tests that docs/failure-modes.md names exist; mxdropctl's manual page tells of every option.
"""
import fnmatch
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
DAEMONS = ("mxdrop-policyd", "mxdrop-scand", "mxdrop-milter")
# Shared by every command; tests of one command are tests of all.
COMMON = ("--help", "--usage", "--config", "--version")


def rows(path):
    """The lines of a table of tests: lists of fields; "#" begins a comment."""
    for number, line in enumerate((TOP / path).read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            yield f"{path}:{number}", line.split("\t")


def test_text():
    """All that tests say, each file once."""
    kept = ("*.c", "*.h", "*.py", "*.rpl", "*.sh")
    return "\n".join(path.read_text("utf-8", "replace")
                     for path in sorted((TOP / "tests").rglob("*"))
                     if path.is_file() and "lint" not in path.parts and "corpus" not in path.parts
                     and any(path.match(pattern) for pattern in kept))


def settings():
    """SECTION.KEY of everything in docs/CONFIG.md that is no group and no module's."""
    section = ""
    for line in (TOP / "docs/CONFIG.md").read_text("utf-8").splitlines():
        section = line[3:] if line.startswith("## ") else section
        found = re.match(r"\| `([\w.]+)` \| (\w+)", line)
        if not found or found[2] == "group":
            continue
        name = f"{section}.{found[1]}"
        is_modules = re.match(r"policyd\.(?!deadline\.)\w+\.|policyd\.recipient_delimiter", name)
        if not is_modules:
            yield name


def check_settings():
    """Each has its line, and each line its setting and its test."""
    known, listed = list(settings()), set()
    for where, fields in rows("tests/settings.tsv"):
        if len(fields) != 3:
            yield f"{where}: not SETTING, FILE, TEST with tabs between"
            continue
        setting, path, test = fields
        listed.add(setting)
        if setting not in known:
            yield f"{where}: {setting} is no setting of docs/CONFIG.md"
        file = TOP / "tests" / path
        if not file.is_file() or not re.search(rf"\b{re.escape(test)}\b", file.read_text("utf-8")):
            yield f"{where}: tests/{path} has no {test}"
    for setting in known:
        if setting not in listed:
            yield (f"{setting}: no line in tests/settings.tsv. Write a test that fails where "
                   f"the code ignores the setting, and add: {setting}<TAB>FILE<TAB>TEST")


def help_of(*command):
    """What a program says about its use."""
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=20,
                          check=False)
    return done.stdout + done.stderr


def options_of(text):
    """The long options of a help text."""
    return sorted(set(re.findall(r"(?:^ +|, )(--[a-z][a-z-]+)", text, re.M)) - set(COMMON))


def commands(build):
    """(what, name) of each command and option of each program."""
    ctl = str(build / "bin" / "mxdropctl")
    for command in re.findall(r"^  ([a-z]+) ?.*\n {8}", help_of(ctl), re.M):
        yield f"mxdropctl {command}", command
        for option in options_of(help_of(ctl, command)):
            yield f"mxdropctl {command} {option}", option
    for daemon in DAEMONS:
        for option in options_of(help_of(str(build / "bin" / daemon))):
            yield f"{daemon} {option}", option


def sources(*patterns):
    """The text of the product's files."""
    return "\n".join(path.read_text("utf-8") for pattern in patterns
                     for path in sorted(TOP.glob(pattern)))


def names(build):
    """(what, name) of everything that must stand in some test."""
    yield from commands(build)
    for symbol in sorted(set(re.findall(r'\{"((?:MX_)?[A-Z][A-Z0-9_]+)", -?[0-9.]+,',
                                        sources("scand/det_*.c", "scand/scan_*.c")))):
        yield f"symbol {symbol}", symbol
    programs = sources("policyd/*.c", "scand/*.c", "milter-shim/*.c", "lib/*.c", "store/*.c")
    for metric in sorted(set(re.findall(r'"(mxdrop_[a-z_]+)"', programs))):
        yield f"metric {metric}", metric


def check_names(build):
    """Each is in a test or among the exceptions, and no exception is out of date."""
    said = test_text()
    exceptions = {fields[0]: where for where, fields in rows("tests/unnamed.tsv")
                  if len(fields) == 2}
    used = set()
    for what, name in names(build):
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said):
            continue
        excuse = [e for e in exceptions if fnmatch.fnmatch(what, e)]
        used.update(excuse)
        if not excuse:
            yield (f"{what}: no test names it. Write one that fails without it, or, where that "
                   f"cannot be, a line in tests/unnamed.tsv: {what}<TAB>REASON")
    for exception, where in exceptions.items():
        if exception not in used:
            yield f"{where}: {exception} is named in a test (or is gone): take the line out"


def check_manual(build):
    """Every command and option of mxdropctl is in its manual page."""
    page = (TOP / "docs/man/mxdropctl.1").read_text("utf-8").replace("\\-", "-")
    for what, name in commands(build):
        if what.startswith("mxdropctl") and not re.search(
                rf"(?<![\w-]){re.escape(name)}(?![\w-])", page):
            yield f"{what}: docs/man/mxdropctl.1 does not tell of it"


def check_failure_modes():
    """Each test that docs/failure-modes.md names is there; "::name" is of the matrix."""
    text = (TOP / "docs/failure-modes.md").read_text("utf-8")
    for path, test in re.findall(r"`(test_\w+\.py)?(?:::(test_\w+)\*?)?`", text):
        if not path and not test:
            continue
        file = TOP / "tests/integration" / (path or "test_failure_matrix.py")
        if not file.is_file() or (test and f"def {test}" not in file.read_text("utf-8")):
            yield f"docs/failure-modes.md: {file.name} has no {test or 'such file'}"


def main(build):
    """Report; exit 1 with findings."""
    build = pathlib.Path(build)
    findings = [*check_settings(), *check_failure_modes(), *check_manual(build),
                *check_names(build)]
    for finding in findings:
        print(finding)
    print(f"what users see is tested by name: {f'{len(findings)} findings' if findings else 'ok'}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
