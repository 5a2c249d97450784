"""The six activities: this is where a real agency would be called.

An activity runs at least once, so both the bookings and their undos must be idempotent, and an undo must accept
what was never booked: it is registered before its booking is tried.
"""

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from .booking import Item


def book(kind: str, item: Item) -> str:
    if "invalid" in item.id:
        raise expected(f"there is no {kind} '{item.id}'", type="InvalidBooking", non_retryable=True)
    if activity.info().attempt < item.attempts:
        raise expected(f"the {kind} agency is busy", type="AgencyBusy")
    return item.id


def give_back(kind: str, item: Item) -> None:
    activity.logger.debug("%s '%s' given back", kind, item.id)


def expected(message: str, *, type: str, non_retryable: bool = False) -> ApplicationError:
    """A failure that is part of the business: the worker doesn't log it as a warning."""
    return ApplicationError(message, type=type, non_retryable=non_retryable, category=ApplicationErrorCategory.BENIGN)


@activity.defn
async def book_car(item: Item) -> str:
    return book("car", item)


@activity.defn
async def book_hotel(item: Item) -> str:
    return book("hotel", item)


@activity.defn
async def book_flight(item: Item) -> str:
    return book("flight", item)


@activity.defn
async def undo_book_car(item: Item) -> None:
    give_back("car", item)


@activity.defn
async def undo_book_hotel(item: Item) -> None:
    give_back("hotel", item)


@activity.defn
async def undo_book_flight(item: Item) -> None:
    give_back("flight", item)


ALL = [book_car, book_hotel, book_flight, undo_book_car, undo_book_hotel, undo_book_flight]
