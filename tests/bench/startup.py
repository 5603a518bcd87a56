"""What needs no system: against a static program that does nothing."""

from measure import Row, Side


def rows(bench):
    for args in (["--version"], ["--help"], ["completion", "bash"]):
        yield Row(" ".join(args), Side([bench.esker, *args]), {"empty": Side([bench.empty])}, bench.runs)
