"""The memory's bandwidth is measured, not assumed."""

from llmos_jupyter.system.bandwidth import bytes_per_second


def test_it_is_that_of_a_memory() -> None:
    # From a loaded shared core to eight channels of DDR5.
    assert 2e8 < bytes_per_second(1) < 6e11
