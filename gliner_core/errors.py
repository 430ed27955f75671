"""The one exception a user should ever see: one sentence that says what is wrong, where, and what to do."""

LONGEST = 4000  # letters of a message; what is cut is the middle, because file and advice stand at the ends


class InputError(ValueError):
    """A file, card, key or value that the user can repair; the message names it and says what to do.

    Messages quote what was found, so signs that a terminal or a log would obey are shown as escapes.
    """

    def __init__(self, message: object = "") -> None:
        text = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(message))
        super().__init__(text if len(text) <= LONGEST else f"{text[: LONGEST - 1000]} ... {text[-900:]}")
