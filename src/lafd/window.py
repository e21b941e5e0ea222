"""A plain window that shows pictures and takes keys, for the commands that need one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lafd.crop import scaled
from lafd.errors import UsageError

BACKGROUND = "#202124"
FOREGROUND = "#e8eaed"

_MISSING = (
    "this command needs Tk, which this Python lacks: install it (Debian and Ubuntu: apt install python3-tk,"
    " macOS with Homebrew: brew install python-tk)."
)


class Window:
    """A picture above a line of text; keys are handed on by name.

    Args:
        title: Of the window.
        on_key: Called with the key's name in Tk, as "Right", "space" or "q".
        on_resize: Called when the picture has to be drawn again.

    Raises:
        UsageError: Tk or a display is missing.
    """

    def __init__(self, title: str, on_key: Callable[[str], None], on_resize: Callable[[], None]) -> None:
        try:
            import tkinter

            from PIL import ImageTk
        except ImportError:
            raise UsageError(_MISSING) from None
        try:
            self.root = tkinter.Tk(className="lafd")
        except tkinter.TclError as error:
            raise UsageError(
                f"no window can be opened ({error}): run it on a desktop, or use lafd detect --draw DIR."
            ) from None
        self._photo_image = ImageTk.PhotoImage
        self.root.title(title)
        self.root.configure(background=BACKGROUND)
        self.root.geometry("1100x760")
        self.root.minsize(320, 240)
        style: dict[str, Any] = {"background": BACKGROUND, "foreground": FOREGROUND}
        self.text = tkinter.Label(self.root, anchor="w", justify="left", padx=10, pady=6, **style)
        self.text.pack(side="bottom", fill="x")
        self.picture = tkinter.Label(self.root, borderwidth=0, background=BACKGROUND)
        self.picture.pack(side="top", fill="both", expand=True)
        self.root.bind("<Key>", lambda event: on_key(event.keysym))
        self.picture.bind("<Configure>", lambda event: on_resize())
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        self.open = True
        self._photo: Any = None

    def show(self, image: NDArray[np.uint8] | None, text: str) -> None:
        """Shows a picture, uint8 (h, w, 3) BGR, scaled to fit and never enlarged more than twice; None shows none."""
        if not self.open:
            return
        self._photo = None
        if image is not None:
            room = max(1, self.picture.winfo_width()), max(1, self.picture.winfo_height())
            scale = min(2.0, room[0] / image.shape[1], room[1] / image.shape[0])
            size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
            self._photo = self._photo_image(scaled(image, size), master=self.root)
        self.picture.configure(image=self._photo or "")
        self.text.configure(text=text)

    def ask(self, title: str, question: str, value: str) -> str | None:
        """Asks for a line of text; None if the question was closed."""
        from tkinter import simpledialog

        return simpledialog.askstring(title, question, initialvalue=value, parent=self.root)

    def later(self, milliseconds: int, call: Callable[[], None]) -> None:
        """Calls a function in so many milliseconds."""
        if self.open:
            self.root.after(milliseconds, call)

    def run(self) -> None:
        """Shows the window until it is closed."""
        self.root.mainloop()

    def close(self) -> None:
        """Closes the window."""
        if self.open:
            self.open = False
            self.root.destroy()
