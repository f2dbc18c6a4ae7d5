"""`progress` as the long calls take it: a callable, or in a notebook a bar."""

import contextlib
import html
import sys
import threading
import time

from vise_eval.errors import UsageError

_WAIT = 0.5  # seconds: a call that ends before shows no bar
_STEPS = 30


class _Bar:
    """What a notebook shows of one call: HTML's own progress element, or a line of text where HTML isn't shown. Needs no
    widgets: the cell's output is displayed once and then updated in its place."""

    def __init__(self, display):
        self._display, self._handle = display, None
        self._begin = time.monotonic()
        self.what, self.done, self.total = "", 0, 0

    def __call__(self, what, done, total):
        self.what, self.done, self.total = what, done, total
        if self._handle is not None:
            self._handle.update(self)
        elif time.monotonic() - self._begin >= _WAIT:
            self._handle = self._display(self, display_id=True)

    def clear(self):
        """The bar goes when its call ends; errors and results have the cell's output to themselves."""
        self.what = ""
        if self._handle is not None:
            self._handle.update(self)

    def _counts(self):
        return f"{self.done} of {self.total}" if self.total else str(self.done)

    def __repr__(self):
        if not self.what:
            return ""
        full = _STEPS * self.done // self.total if self.total else 0
        return f"{self.what}: [{'#' * full}{'.' * (_STEPS - full)}] {self._counts()}"

    def _repr_html_(self):
        if not self.what:
            return ""
        place = f'value="{self.done}" max="{self.total}"' if self.total else ""
        return f"<progress {place}></progress> {html.escape(self.what)}: {self._counts()}"


def _notebook_display():
    """IPython's display() in a kernel's main thread; else None. Imports nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is None or threading.current_thread() is not threading.main_thread():
        return None
    from IPython.display import display

    return display


@contextlib.contextmanager
def told(progress):
    """What the engine tells: a given callable, in a notebook a bar (not with progress=False), else None."""
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise UsageError(f"progress={progress!r}: a callable (what, done, total), None, or False for no bar in a notebook")
    display = _notebook_display() if progress is None or progress is True else None
    if display is None:
        yield progress if callable(progress) else None
        return
    bar = _Bar(display)
    try:
        yield bar
    finally:
        bar.clear()
