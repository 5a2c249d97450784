"""What the workflow and the activities tell each other."""

from dataclasses import dataclass
from typing import Any

from temporalio.exceptions import ApplicationError

TASK_QUEUE = "travel-booking"


@dataclass(frozen=True)
class Booking:
    """One trip. Bookings succeed at attempt number `attempts`; 1 means at once."""

    user_id: str
    car: str
    hotel: str
    flight: str
    attempts: int = 1

    @staticmethod
    def parse(value: Any) -> "Booking":
        """Reads the workflow's input, a JSON object.

        Raises a non-retryable `InvalidInput` for anything else, so that the workflow fails. A dataclass as the
        workflow's parameter would fail the workflow *task* instead, which is tried again for ever.
        """
        if not isinstance(value, dict):
            raise invalid_input("the input must be an object")
        for field in ("user_id", "car", "hotel", "flight"):
            if not isinstance(value.get(field), str):
                raise invalid_input(f"'{field}' must be a text")
        attempts = value.get("attempts", 1)
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise invalid_input("'attempts' must be a number from 1")
        return Booking(value["user_id"], value["car"], value["hotel"], value["flight"], attempts)


@dataclass(frozen=True)
class Item:
    """What one activity books, or gives back: a car, a hotel or a flight."""

    user_id: str
    id: str
    attempts: int = 1


def invalid_input(message: str) -> ApplicationError:
    return ApplicationError(message, type="InvalidInput", non_retryable=True)
