"""One question with two answers and a box for not being asked again; never answers by itself."""

import contextlib
import tkinter
from dataclasses import dataclass

import ttkbootstrap as ttk


@dataclass(frozen=True)
class Question:
    """The words of a question: what is asked, the box for not being asked again, and both answers."""

    title: str
    text: str
    again: str
    yes: str
    no: str


def ask(parent: tkinter.Misc, question: Question) -> tuple[bool, bool]:
    """Return whether the answer was yes, and whether to ask again. Escape and closing mean no."""
    window = tkinter.Toplevel(parent)
    window.withdraw()
    window.title("Navette")
    window.resizable(False, False)
    window.transient(parent.winfo_toplevel())
    answer = tkinter.BooleanVar(window, value=False)
    never = tkinter.BooleanVar(window, value=False)

    def end(agreed: bool) -> None:
        answer.set(agreed)
        window.destroy()

    body = ttk.Frame(window, padding=24)
    body.pack(fill="both", expand=True)
    ttk.Label(body, text=question.title, style="Heading.TLabel").pack(anchor="w")
    ttk.Label(body, text=question.text, wraplength=420, justify="left").pack(anchor="w", pady=(10, 18))
    box = ttk.Checkbutton(body, text=question.again, variable=never)
    box.pack(anchor="w")
    buttons = ttk.Frame(body)
    buttons.pack(fill="x", pady=(22, 0))
    refuse = ttk.Button(buttons, text=question.no, command=lambda: end(False))  # Tab goes in this order
    agree = ttk.Button(buttons, text=question.yes, bootstyle="primary", command=lambda: end(True))
    agree.pack(side="right")
    refuse.pack(side="right", padx=(0, 8))
    window.bind("<Escape>", lambda _: end(False))
    window.bind("<Return>", lambda event: None if isinstance(event.widget, ttk.Button) else end(True))
    window.protocol("WM_DELETE_WINDOW", lambda: end(False))
    window.update_idletasks()
    x = parent.winfo_rootx() + (parent.winfo_width() - window.winfo_reqwidth()) // 2
    y = parent.winfo_rooty() + (parent.winfo_height() - window.winfo_reqheight()) // 3
    window.geometry(f"+{max(0, x)}+{max(0, y)}")
    agree.focus_set()
    window.deiconify()
    with contextlib.suppress(tkinter.TclError):  # answered before it was even drawn
        window.wait_visibility()
        window.grab_set()
        parent.wait_window(window)
    return answer.get(), not never.get()
