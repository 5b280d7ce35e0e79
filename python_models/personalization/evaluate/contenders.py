"""What can be run against each other: our generators and their peers in other libraries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from personalization.generators.base import Generator, GeneratorInputs, Picks, top_items


class ListMaker(Protocol):
    """A fitted model: ranks items for every customer of the inputs."""

    def __call__(self, *, k: int, exclude_bought: bool) -> Picks:
        """Rank at most k items per customer, on request only those that are new to them."""


@dataclass(frozen=True)
class Contender:
    """A method by name; all of it can be pickled, for it is fitted in a process of its own.

    Attributes:
        name: As the user knows it.
        fit: Learns from the inputs.
        modules: Modules that `fit` imports, so that they can be imported before the clock starts.
        is_peer: It belongs to another library.
    """

    name: str
    fit: Callable[[GeneratorInputs], ListMaker]
    modules: tuple[str, ...] = ()
    is_peer: bool = False

    @property
    def packages(self) -> list[str]:
        """The packages of the modules."""
        return [module.partition(".")[0] for module in self.modules]


def generator_contenders(generators: Mapping[str, Generator]) -> list[Contender]:
    """Make contenders of generators by name; each a function that can be imported."""
    return [
        Contender(name, partial(_fit_generator, generator))
        for name, generator in generators.items()
    ]


def _fit_generator(generator: Generator, inputs: GeneratorInputs) -> ListMaker:
    """Fit a generator; its lists are those of `top_items`."""
    return partial(top_items, inputs, generator(inputs))
