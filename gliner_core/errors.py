"""The one exception a user should ever see: one sentence that says what is wrong, where, and what to do."""


class InputError(ValueError):
    """A file, card, key or value that the user can repair; the message names it and says what to do."""
