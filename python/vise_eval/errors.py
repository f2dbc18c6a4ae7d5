"""What goes wrong, by kind. Each has `message` (what is wrong, with the file, row or option) and `hint` (what to do
about it, or "")."""


class Error(Exception):
    """Any error of vise_eval."""

    def __init__(self, message, hint=""):
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self):
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(Error, ValueError):
    """A wrong option, name or combination."""


class MissingError(Error):
    """Data or weights that are not there."""


class InputError(Error, ValueError):
    """A file or an array that is there and bad."""


class VerificationError(Error):
    """Parity or a recomputation failed."""


class Interrupted(Error):
    """The work was asked to stop."""


class SystemFailure(Error):
    """Disk full, no permission, no memory, a failing library."""
