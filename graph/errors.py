"""Errors of the experiment graph.

    GraphError          the experiment itself is wrong: found when it is published, or when it is called
                        with web service parameters, inputs or trained models that do not fit it
    ModuleError         a module could not work on the data it got; carries Studio's own error number
    InvalidModel        bytes that are not a valid `.ilearner`

Inside a module `ModuleFailure` is raised; the runner adds the module's name and its node and makes it a `ModuleError`.
Numbers and wording follow Studio's "module error codes" reference.
"""

from __future__ import annotations

from typing import Final


def one_line(text: str) -> str:
    """The text with every run of white space, line ends included, as one blank."""
    return " ".join(text.split())


class GraphError(Exception):
    """An experiment (or what it was called with) is not valid.

    `message` is one line; `target` names the node, edge or parameter it is about; `remedy` says what to do, in one
    line, where that can be said.
    """

    def __init__(self, message: str, target: str = "", remedy: str = "") -> None:
        self.message = one_line(message)
        self.target = target
        self.remedy = one_line(remedy)
        super().__init__(self.message)


class InvalidModel(Exception):
    """The bytes are not an `.ilearner` this studio can use; the text is the reason, one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(one_line(reason))


class ModuleFailure(Exception):
    """What a module raises: Studio's four-digit code and a message of one line."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = one_line(message)
        super().__init__(f"Error {code}: {self.message}")


class ModuleError(Exception):
    """A module failed while the graph ran; `str()` is `<module> (node "<id>"): Error NNNN: <message>`, one line.

    Of an input or a file there is no node.
    """

    def __init__(self, module: str, code: str, message: str, node: str = "") -> None:
        self.module = module
        self.node = node
        self.code = code
        self.message = one_line(message)
        where = f'{module} (node "{node}")' if node else module
        super().__init__(f"{where}: Error {code}: {self.message}")


_SENTENCES: Final = {
    "0013": "Learner of invalid type is passed to the module",
    "0018": "Input dataset is not valid",
    "0020": "Number of columns in input dataset is too small",
    "0021": "Number of rows in input dataset is too small",
    "0026": "Columns with the same name are not allowed",
}


def refused(code: str, why: str) -> ModuleFailure:
    """What Studio says for that code, and why."""
    return ModuleFailure(code, f"{_SENTENCES[code]}: {why}.")


def unparsed(parameter: str, value: object, why: str) -> ModuleFailure:
    """Studio's 0002: a value that its parameter does not take."""
    return ModuleFailure("0002", f'Failed to parse "{parameter}" parameter value "{value}": {why}.')


def column_not_found(column: str) -> ModuleFailure:
    """Studio's 0001 for one column."""
    return ModuleFailure(
        "0001",
        "One or more specified columns of data set couldn't be found: "
        f'column with name or index "{column}" not found.',
    )


def empty_input(port: str) -> ModuleFailure:
    """Studio's 0003: a dataset without a row."""
    return ModuleFailure("0003", f'Input "{port}" is null or empty: the dataset has no rows.')


def column_type(column: str, type_name: str, wanted: str) -> ModuleFailure:
    """Studio's 0017: the column's type is not one the module works on."""
    return ModuleFailure(
        "0017",
        f'Cannot process column "{column}" of type {type_name}. '
        f"The type is not supported by the module; it needs {wanted}.",
    )


def bad_target(column: str, learner: str, why: str) -> ModuleFailure:
    """Studio's 0023: a label column the learner cannot be trained on."""
    return ModuleFailure(
        "0023",
        f'Input dataset has unsupported target column "{column}" for learner of type {learner}: {why}.',
    )
