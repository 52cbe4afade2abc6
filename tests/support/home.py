"""Where the tests' servers are: on loopback, which is closed to tasks otherwise."""

from typing_extensions import override

from turnout.jobs.addresses import Address, Borders


class Home(Borders):
    """Admits loopback besides."""

    @override
    def admits(self, address: Address) -> bool:
        return address.is_loopback or super().admits(address)
