#!/usr/bin/python3
"""check_size.py [--long N]: measures the C code against the budget of the project's style.

Prints one table: medians tell the daily habit, 95th percentiles the discipline, maxima the
rot. Only hard limits fail: the longest function and file, the deepest nesting, external
functions without a comment, mutable file-scope variables. --long N lists the N longest
functions as well.

It reads text, not syntax trees, and relies on .clang-format: a function's braces stand in
column 0, and a statement is indented by four columns a level.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys

PRODUCT = ["lib", "proto", "store", "policyd", "scand", "milter-shim", "ctl"]
TOP = pathlib.Path(__file__).resolve().parents[2]
CONTROL = re.compile(r"^( *)(?:\} )?(?:if|for|while|switch|do|else)\b")
# Verbs whose one meaning the style fixes: they release what the function above them made.
RELEASING = ("_free", "_fini", "_close", "_stop", "_unref")
LITERALS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'')
COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def tree_files(*patterns):
    """Files of the tree that match; build directories never count."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={TOP}", "ls-files", "-co", "--exclude-standard", "--",
         *patterns], cwd=TOP, capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        paths = [TOP / line for line in listing.stdout.splitlines()]
    else:
        paths = [p for pattern in patterns for p in TOP.glob(pattern)]
    return sorted(p for p in set(paths) if p.is_file())


def blank(match):
    """Comments and literals become spaces of the same shape, so that lines keep their number."""
    return re.sub(r"[^\n]", " ", match.group())


class Source:
    """One file: its text, its code without comments and literals, and its functions."""

    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(TOP))
        self.text = path.read_text(encoding="utf-8", errors="replace")
        masked = LITERALS.sub(lambda m: '"' + " " * (len(m.group()) - 2) + '"', self.text)
        code = COMMENTS.sub(blank, masked)
        self.lines = self.text.splitlines()
        self.code = code.splitlines()
        self.functions = list(self._functions())

    def _functions(self):
        start = None
        for number, line in enumerate(self.code):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start is not None:
                head = self._head(start)
                yield Function(self, head, start, number)
                start = None

    def _head(self, brace):
        """First line of the signature above an opening brace."""
        first = brace
        while first > 0 and self.code[first - 1].strip() and \
                not self.code[first - 1].startswith(("}", "#")) and \
                not self.code[first - 1].rstrip().endswith(";"):
            first -= 1
        return first

    def comment_lines(self):
        """Lines that hold a comment, and lines that are not blank."""
        written = [i for i, line in enumerate(self.lines) if line.strip()]
        commented = [i for i in written if self._has_comment(i)]
        return len(commented), len(written)

    def _has_comment(self, index):
        bare = LITERALS.sub('""', self.lines[index])
        return len(re.sub(r"\s", "", bare)) > len(
            re.sub(r"\s", "", LITERALS.sub('""', self.code[index])))

    def mutable_variables(self):
        """Definitions at file scope that a running program could change."""
        depth = 0
        for number, line in enumerate(self.code):
            if depth == 0 and re.match(r"[a-z_]", line) and is_mutable(line):
                yield f"{self.name}:{number + 1}: {line.strip()}"
            depth += line.count("{") - line.count("}") + line.count("(") - line.count(")")


def is_mutable(line):
    """A variable's definition without const where it counts (behind the last star)."""
    if re.match(r"(typedef|extern|enum|union|return|goto)\b", line):
        return False
    if not re.search(r"[=;\[]", line):
        return False
    left = re.split(r"[=;]", line, maxsplit=1)[0]
    if "(" in left or not re.match(r"(\w+[\s*]+){1,5}\w+\s*(\[|$)", left):
        return False
    if re.match(r"(static )?struct \w+\s*$", left) and "=" not in line:
        return False
    tail = left.rsplit("*", 1)[-1] if "*" in left else left
    return "const" not in tail


class Function:
    """One function definition."""

    def __init__(self, source, head, brace, end):
        self.where = f"{source.name}:{head + 1}"
        signature = " ".join(source.code[head:brace])
        found = re.search(r"(\w+)\s*\(", signature)
        self.name = found.group(1) if found else "?"
        self.length = end - head + 1
        body = source.code[brace + 1:end]
        levels = [len(m.group(1)) // 4 for m in map(CONTROL.match, body) if m]
        self.nesting = max(levels, default=0)
        arguments = signature[signature.find("(") + 1:signature.rfind(")")].strip()
        self.parameters = 0 if arguments in ("", "void") else arguments.count(",") + 1


def uncommented(header):
    """Function declarations of a header whose paragraph has no comment above them."""
    depth, has_comment, statement = 0, False, ""
    for number, line in enumerate(header.code):
        if not header.lines[number].strip():
            has_comment = False
        elif header._has_comment(number) and not line.strip():
            has_comment = True
        if line.startswith("#") or not line.strip():
            continue
        statement += line.strip() + " "
        depth += line.count("{") - line.count("}")
        if depth > 0 or not line.rstrip().endswith((";", "}", "{")):
            continue
        is_function = re.match(r"(?!typedef|extern struct|static)[\w\s*]+?(\w+)\s*\([^*]", statement)
        if is_function and statement.rstrip().endswith(";") and not has_comment and \
                not is_function.group(1).endswith(RELEASING):
            yield f"{header.name}:{number + 1}: {is_function.group(1)}"
        statement = ""


def percentile(values, share):
    """Nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0


def measure(sources, headers, test_lines):
    """Rows: what, value, budget, within it, whether a miss fails."""
    functions = [f for s in sources for f in s.functions]
    lengths = [f.length for f in functions] or [0]
    sizes = [len(s.lines) for s in sources] or [0]
    nesting = [f.nesting for f in functions] or [0]
    parameters = [f.parameters for f in functions] or [0]
    product_lines = sum(len(s.lines) for s in sources + headers)
    comments = [s.comment_lines() for s in sources + headers]
    share = 100 * sum(c for c, _ in comments) / max(1, sum(n for _, n in comments))
    bare = [b for h in headers for b in uncommented(h)]
    mutable = [m for s in sources for m in s.mutable_variables()]
    per_kloc = 1000 * len(mutable) / max(1, product_lines)
    ratio = test_lines / max(1, product_lines)
    rows = [
        ("function lines, median", statistics.median(lengths), "<= 22", False),
        ("function lines, p95", percentile(lengths, .95), "<= 60", False),
        ("function lines, longest", max(lengths), "<= 100", True),
        (".c file lines, p95", percentile(sizes, .95), "<= 500", False),
        (".c file lines, longest", max(sizes), "<= 700", True),
        ("nesting, p95", percentile(nesting, .95), "<= 3", False),
        ("nesting, deepest", max(nesting), "<= 4", True),
        ("parameters, p95", percentile(parameters, .95), "<= 5", False),
        ("comment share, %", round(share, 1), "15..30", False),
        ("external functions without a comment", len(bare), "<= 0", True),
        ("mutable file-scope variables / kloc", round(per_kloc, 2), "<= 0.5", True),
        ("C test lines / product lines", round(ratio, 2), ">= 0.8", False),
        ("product lines (.c and .h)", product_lines, "", False),
    ]
    return rows, functions, bare + mutable


def within(value, budget):
    """Whether a figure keeps its budget ("<= 5", ">= 1", "15..30", or none)."""
    if not budget:
        return True
    if ".." in budget:
        low, high = map(float, budget.split(".."))
        return low <= value <= high
    sign, bound = budget.split()
    return value <= float(bound) if sign == "<=" else value >= float(bound)


def culprits(functions, sources):
    """Functions and files beyond the hard limits, one line each."""
    for f in functions:
        if f.length > 100 or f.nesting > 4:
            yield f"{f.where}: {f.name}: {f.length} lines, nesting {f.nesting}"
    for s in sources:
        if len(s.lines) > 700:
            yield f"{s.name}: {len(s.lines)} lines"


def main():
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", type=int, default=0, metavar="N")
    options = parser.parse_args()
    sources = [Source(p) for d in PRODUCT for p in tree_files(f"{d}/*.c")]
    headers = [Source(p) for d in PRODUCT for p in tree_files(f"{d}/*.h")]
    tests = tree_files("tests/*.c", "tests/*.h", "bench/*.c")
    test_lines = sum(len(p.read_text(errors="replace").splitlines()) for p in tests)
    rows, functions, named = measure(sources, headers, test_lines)
    failed = False
    for what, value, budget, is_hard in rows:
        kept = within(value, budget)
        failed |= is_hard and not kept
        verdict = "" if not budget else "ok" if kept else "FAIL" if is_hard else "over"
        print(f"{what:40} {value:>9} {budget:>8}  {verdict}")
    for line in list(culprits(functions, sources)) + named:
        print(line)
    for f in sorted(functions, key=lambda f: -f.length)[:options.long]:
        print(f"{f.length:5} {f.nesting:3} {f.parameters:3}  {f.where} {f.name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
