"""The errors that a user can cause. Every `python -m` main prints them as one line and exits with code 2."""


class UserError(Exception):
    """Bad input: the message names the parameter, the value and what is allowed, in one line."""


class ModelError(UserError):
    """A language model that cannot be found, loaded, or used for what was asked."""


class StoreError(UserError):
    """A file or database that cannot be read or written."""
