"""Progress of a command on the terminal: the steps in progress, and how long each one took."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from crossover.terminal import is_unicode


class Steps:
    """The steps of one command; several can be in progress at once.

    Args:
        console: gets a line for each finished step; on a terminal, those in progress are shown below.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = time.monotonic()
        self._progress = Progress(
            SpinnerColumn("dots" if is_unicode(console) else "line"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}", table_column=Column(ratio=1, no_wrap=True)),
            console=console,
            transient=True,
            expand=True,
        )

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.console.is_terminal:
            self._progress.stop()

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return time.monotonic() - self.started

    def step(self, name: str) -> "Step":
        """Begin a step. It ends with a `with` block."""
        return Step(self, name, self._progress.add_task(name, total=None, detail=""))

    def show(self, task: TaskID, detail: str) -> None:
        """Show what a step is doing."""
        self._progress.update(task, detail=escape(detail))

    def end(self, task: TaskID, name: str, *, mark: str, seconds: float) -> None:
        """Replace a step in progress by a permanent line."""
        self._progress.remove_task(task)
        self.console.print(f"{mark} {name} [dim]{seconds:6.1f} s", highlight=False)


class Step:
    """A step in progress. Leaving its `with` block ends it, whether it succeeded or not."""

    def __init__(self, steps: Steps, name: str, task: TaskID) -> None:
        self._steps = steps
        self._name = name
        self._task = task
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        mark = "[green]✓[/green]" if kind is None else "[red]✗[/red]"
        self._steps.end(self._task, self._name, mark=mark, seconds=time.monotonic() - self._started)

    def show(self, detail: str) -> None:
        """Show what it is doing, in a few words."""
        self._steps.show(self._task, detail)
