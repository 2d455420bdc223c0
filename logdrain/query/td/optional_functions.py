"""TD functions that need more than is installed with logdrain."""

from sqlglot import exp

from logdrain.errors import UnknownFunction
from logdrain.query.td.calls import Call
from logdrain.query.td.refused_functions import NEEDS_ADDRESSES, NEEDS_AGENTS, Refusal
from logdrain.query.td.scalar_functions import of_values
from logdrain.query.values import scalars
from logdrain.query.values.agents import HAS_AGENTS


def parse_agent(call: Call) -> exp.Expr:
    """`TD_PARSE_AGENT(agent) -> map(os, os_version, name, version, vendor, category)`."""
    _need(call, NEEDS_AGENTS, is_there=HAS_AGENTS)
    return of_values(scalars.PARSE_AGENT)(call)


def parse_user_agent(call: Call) -> exp.Expr:
    """`TD_PARSE_USER_AGENT(agent [, option]) -> string`: one part, or JSON of several."""
    _need(call, NEEDS_AGENTS, is_there=HAS_AGENTS)
    return of_values(scalars.PARSE_USER_AGENT)(call)


def address_value(call: Call) -> exp.Expr:
    """`TD_IP_TO_…(address)`: what the operator's database says; NULL where it does not know the address."""
    _need(call, NEEDS_ADDRESSES, is_there=call.context.has_addresses)
    return exp.Anonymous(
        this=call.name.lower(), expressions=[exp.cast(call.arguments[0].copy(), exp.DType.VARCHAR)]
    )


def _need(call: Call, refusal: Refusal, *, is_there: bool) -> None:
    if not is_there:
        place = call.context.place(call.node)
        raise UnknownFunction(
            f"{call.name} is not run here: {refusal.reason}", place=place, hint=refusal.instead
        )
