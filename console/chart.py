"""Draws the bars of a chart as SVG, which takes its colours from the style sheet; never a library's picture."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

Column = tuple[str, str, Mapping[str, int]]
"""The word below a bar, the sentence a reader hears, and the bar's parts: class -> number, lowest first."""

_WIDTH, _HEIGHT, _FOOT, _TOP = 560, 150, 16, 14


def bars(columns: Sequence[Column], title: str) -> Markup:
    """Return a chart of stacked bars."""
    highest = max((sum(parts.values()) for _, _, parts in columns), default=0) or 1
    step = _WIDTH / max(len(columns), 1)
    drawn = [_column(place * step, step * 0.66, column, highest) for place, column in enumerate(columns)]
    line = _HEIGHT - _FOOT
    return Markup(
        '<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {} {}">'
        '<line x1="0" y1="{}" x2="{}" y2="{}"></line>{}</svg>'
    ).format(title, _WIDTH, _HEIGHT, line, _WIDTH, line, Markup("").join(drawn))


def _column(left: float, wide: float, column: Column, highest: int) -> Markup:
    word, told, parts = column
    foot, high = _HEIGHT - _FOOT, _HEIGHT - _FOOT - _TOP
    drawn, bottom = [], float(foot)
    for kind, number in parts.items():
        tall = high * number / highest
        bottom -= tall
        bar = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"></rect>')
        drawn.append(bar.format(kind, left, bottom, wide, tall))
    total = sum(parts.values())
    label = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
    middle = left + wide / 2
    above = label.format(middle, bottom - 3, total) if total else Markup()
    below = label.format(middle, _HEIGHT - 4, word)
    return Markup("<g><title>{}</title>{}{}{}</g>").format(escape(told), Markup("").join(drawn), above, below)
