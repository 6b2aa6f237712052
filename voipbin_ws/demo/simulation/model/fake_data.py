"""Names, telephone numbers, purchases and texts of callers, drawn from a seeded random."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

_FIRST: Final = (
    "Dana Omar Priya Lucas Hannah Wei Sofia Marcus Aisha Tomás Elena Noah "
    "Ingrid Kwame Yuki Rosa Felix Zoë Amir Nadia Jack Leila Victor Maeve"
)
_LAST: Final = (
    "Whitfield Haddad Raman Ferreira Becker Zhang Rossi Bennett Diallo Herrera Petrova Campbell Sørensen Boateng "
    "Tanaka Delgado Schneider Dubois Rahimi Kowalska Murphy Farouk Lindgren O’Connor"
)
_GOODS: Final = (
    ("Standing desk", 449),
    ("Office chair", 289),
    ("Desk lamp", 59),
    ("Filing cabinet", 179),
    ("Monitor arm", 119),
    ("Bookshelf", 210),
    ("Noise-cancelling headset", 159),
    ("Whiteboard", 95),
)
STOP: Final = "STOP"
START: Final = "START"
HOURS: Final = "What are your hours?"
QUESTIONS: Final = (
    "Hi, where is my order? It was due yesterday.",
    "Can I change the delivery address?",
    "The desk arrived with a scratch. What can I do?",
    "Do you have the chair in blue?",
    "Thanks, that solved it!",
    HOURS,
    "Please call me back after 3 pm.",
    "Is the lamp still on offer?",
)
"""Questions of callers. A program may answer the one about the hours."""

REPLIES: Final = (
    "Thanks for writing! I have looked it up and everything is on its way.",
    "Of course. I have changed that for you.",
    "I am sorry about that. A replacement leaves our warehouse today.",
    "Yes, we have it. Shall I put one aside for you?",
    "Happy to help. Have a good day!",
)
NOTICES: Final = (
    "Your parcel will be delivered tomorrow between 9 and 12.",
    "Your appointment is confirmed for Thursday, 2:30 pm.",
    "Your payment was received. Thank you!",
    "Your order has left our warehouse.",
)
TRANSCRIPTS: Final = (
    "Thank you for calling, how can I help you? – My order has not arrived yet. – Let me look that up for you.",
    "Hello, I would like to know whether I can return the chair. – Certainly, within thirty days.",
    "Good morning. – Good morning, I have a question about my invoice. – Of course, may I have its number?",
    "Hi, please call me back about the delivery on Friday. Thank you.",
)


@dataclass(slots=True)
class Caller:
    """A person who calls and writes; `calls` counts earlier calls."""

    name: str
    number: str
    calls: int
    last_purchase: str

    def address(self) -> dict[str, str]:
        return {"type": "tel", "target": self.number, "target_name": self.name}


def random_caller(rng: random.Random) -> Caller:
    """Return a random caller with an unassigned telephone number, in +1555."""
    number = rng.getrandbits(40)
    goods, price = rng.choice(_GOODS)
    purchase = f"{goods}, ${price}, {rng.randint(2, 90)} days ago" if rng.random() < 0.8 else "none yet"
    return Caller(
        name=f"{rng.choice(_FIRST.split())} {rng.choice(_LAST.split())}",
        number=f"+1555{2_000_000 + number % 8_000_000:07d}",
        calls=rng.choice((0, 0, 1, 1, 2, 3, 5, 8)),
        last_purchase=purchase,
    )
