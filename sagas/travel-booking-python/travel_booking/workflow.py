"""The workflow `TravelBooking`."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from .activities import book_car, book_flight, book_hotel, undo_book_car, undo_book_flight, undo_book_hotel
    from .booking import Booking, Item
    from .saga import Saga


@workflow.defn
class TravelBooking:
    def __init__(self) -> None:
        self.saga = Saga(
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
        )

    @workflow.run
    async def run(self, input: Any = None) -> dict[str, str]:
        """Books all three or none. The input is a JSON object, see `Booking`."""
        return await self.saga.run(self.book(Booking.parse(input)))

    async def book(self, booking: Booking) -> dict[str, str]:
        def item(id: str) -> Item:
            return Item(booking.user_id, id, booking.attempts)

        car = await self.saga.step(book_car, item(booking.car), undo=undo_book_car)
        hotel = await self.saga.step(book_hotel, item(booking.hotel), undo=undo_book_hotel)
        flight = await self.saga.step(book_flight, item(booking.flight), undo=undo_book_flight)
        return {"status": "passed", "car": car, "hotel": hotel, "flight": flight}

    @workflow.signal
    def cancel_booking(self, reason: Any = None) -> None:
        """Rolls back what was tried; the workflow then ends compensated."""
        self.saga.abort("the booking was cancelled" if reason is None else f"the booking was cancelled: {reason}")

    @workflow.query
    def status(self) -> list[str]:
        """The steps and undos that are done, in the order in which they were."""
        return self.saga.done
