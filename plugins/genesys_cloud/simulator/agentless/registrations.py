"""The registrations by which the platform is told where to push."""

from __future__ import annotations

from genesys_cloud.simulator.agentless.listing import listing
from genesys_cloud.simulator.agentless.triggers import PATH, TOPICS
from genesys_cloud.simulator.exchange import Answer, Call, json_answer
from genesys_cloud.simulator.world import World


def create_open(world: World, call: Call) -> Answer:
    """Register an Open Messaging webhook."""
    made = world.platform.open_integrations.create(call.json_object())
    return json_answer(200, made.shown)


def list_open(world: World, call: Call) -> Answer:
    """Answer one page of the Open Messaging integrations."""
    return listing(call, world.platform.open_integrations.all(), lambda each: each.shown)


def show_open(world: World, call: Call) -> Answer:
    """Answer one Open Messaging integration."""
    return json_answer(200, world.platform.open_integrations.get(call.ids[0]).shown)


def change_open(world: World, call: Call) -> Answer:
    """Change the fields that are given."""
    changed = world.platform.open_integrations.change(call.ids[0], call.json_object())
    return json_answer(200, changed.shown)


def delete_open(world: World, call: Call) -> Answer:
    """Forget an Open Messaging integration."""
    world.platform.open_integrations.remove(call.ids[0])
    return Answer(204)


def create_integration(world: World, call: Call) -> Answer:
    """Make an EventBridge integration."""
    return json_answer(200, world.platform.integrations.create(call.json_object()).shown())


def list_integrations(world: World, call: Call) -> Answer:
    """Answer one page of the integrations."""
    return listing(call, world.platform.integrations.all(), lambda each: each.shown())


def show_integration(world: World, call: Call) -> Answer:
    """Answer one integration."""
    return json_answer(200, world.platform.integrations.get(call.ids[0]).shown())


def intend_integration(world: World, call: Call) -> Answer:
    """Enable or disable an integration."""
    changed = world.platform.integrations.intend(call.ids[0], call.json_object())
    return json_answer(200, changed.shown())


def delete_integration(world: World, call: Call) -> Answer:
    """Forget an integration and answer it as it was."""
    known = world.platform.integrations.get(call.ids[0])
    world.platform.integrations.remove(known.id)
    return json_answer(200, known.shown())


def show_config(world: World, call: Call) -> Answer:
    """Answer the configuration that is in force."""
    return json_answer(200, world.platform.integrations.get(call.ids[0]).config())


def replace_config(world: World, call: Call) -> Answer:
    """Put a configuration in force."""
    changed = world.platform.integrations.configure(call.ids[0], call.json_object())
    return json_answer(200, changed.config())


def create_trigger(world: World, call: Call) -> Answer:
    """Make a trigger."""
    return json_answer(200, world.platform.triggers.create(call.json_object()))


def list_triggers(world: World, call: Call) -> Answer:
    """Answer every trigger, on one page."""
    return json_answer(200, {"entities": world.platform.triggers.all(), "selfUri": PATH})


def show_trigger(world: World, call: Call) -> Answer:
    """Answer one trigger."""
    return json_answer(200, world.platform.triggers.get(call.ids[0]))


def delete_trigger(world: World, call: Call) -> Answer:
    """Forget a trigger."""
    world.platform.triggers.remove(call.ids[0])
    return Answer(204)


def list_topics(world: World, call: Call) -> Answer:
    """Answer the topics that a trigger can have."""
    return json_answer(200, {"entities": list(TOPICS), "selfUri": f"{PATH}/topics"})
