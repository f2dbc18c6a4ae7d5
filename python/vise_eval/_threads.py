"""`n_jobs` as the rooms have threads."""

from vise_eval.errors import UsageError


def threads_of(n_jobs):
    """Threads of an `n_jobs`: None and -1 are all cores (0 here)."""
    if n_jobs is None or n_jobs == -1:
        return 0
    if n_jobs < 1:
        raise UsageError(f"n_jobs={n_jobs!r}: a positive number, or None or -1 for all cores")
    return int(n_jobs)
