"""A travel booking as a saga: car, hotel and flight are booked, or none of them stays booked."""
