"""The values of a package's parameters, and who said each of them."""

from collections.abc import Mapping

from wpk_sandbox.package.package import Case, Package
from wpk_sandbox.package.parameters import used_names
from wpk_sandbox.plan.placeholders import placeholder
from wpk_sandbox.plan.plan import Origin, ParameterUse


def resolve_parameters(
    package: Package, case: Case, given: Mapping[str, str], event: Mapping[str, str], *, namespace: str, image: str
) -> tuple[ParameterUse, ...]:
    """Each parameter that the package uses or that somebody gave, with its value and who said so.

    The command line wins over the case, the case over what the event tells under the same name, and a
    placeholder of the right shape stands for the rest.
    """
    told = {**case.parameters, **given}

    def use(name: str) -> ParameterUse:
        if name in told:
            return ParameterUse(name, told[name], Origin.COMMAND_LINE if name in given else Origin.CASE)
        asked = name.lower().removeprefix("event.").removeprefix("trigger.")
        said = event.get(asked) or event.get(asked.removesuffix("_name"))
        if said:
            return ParameterUse(name, said, Origin.EVENT)
        return ParameterUse(name, placeholder(name, namespace=namespace, image=image), Origin.PLACEHOLDER)

    return tuple(use(name) for name in dict.fromkeys((*used_names(package, told), *told)))
