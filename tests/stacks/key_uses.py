"""Which keys a role may decrypt with, and through which services."""

from tests.crossover.cdk.templates import StackTemplate
from tools.synthesized import as_list


def key_uses(template: StackTemplate, role: str) -> set[tuple[str, str]]:
    """(service, key) for each decryption that the role is allowed."""
    return {
        (statement["Condition"]["StringEquals"]["kms:ViaService"].partition(".")[0], key)
        for statement in template.statements(role)
        if "kms:Decrypt" in statement["Action"]
        for key in as_list(statement["Resource"])
    }
