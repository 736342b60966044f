r"""Make or replace three automations on the server that PREFECT_API_URL names.

    python deployments/create_automations.py [WEBHOOK]

The flows are deployed there first.

1. A folder that somebody announces is classified:
   prefect event emit ilpix.folder.arrived --resource-id ilpix.folder.NAME \
     --payload '{"data_dir": "/data/NAME"}'
2. A run whose process was killed, or whose machine went down, is silent: it has crashed then, and
   makes room for the next one.
3. A run that fails or crashes is told to WEBHOOK, an address that takes JSON: a chat, a ticket
   system.
"""

import sys
from datetime import timedelta

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events import EventTrigger, ResourceSpecification
from prefect.events.actions import ChangeFlowRunState, RunDeployment, SendNotification
from prefect.events.schemas.automations import AutomationCore, Posture

BLOCK = "ilpix-notifications"
SILENCE = timedelta(seconds=90)  # three heartbeats of the length that prefect.toml sets
OURS = ResourceSpecification.model_validate(
    {"prefect.resource.id": "prefect.tag.ilpix", "prefect.resource.role": "tag"}
)


def classify_announced_folders() -> AutomationCore:
    """Return the automation that starts `classify` for each announced folder."""
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("classify/classify")
    data_dir = {"__prefect_kind": "jinja", "template": "{{ event.payload.data_dir }}"}
    return AutomationCore(
        name="ilpix: classify announced folders",
        trigger=EventTrigger(
            expect={"ilpix.folder.arrived"},
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[RunDeployment(deployment_id=deployment.id, parameters={"data_dir": data_dir})],
    )


def crash_silent_runs(silence: timedelta = SILENCE) -> AutomationCore:
    """Return the automation that ends a run of ours of which nothing was heard for a while."""
    return AutomationCore(
        name="ilpix: crash silent runs",
        trigger=EventTrigger(
            after={"prefect.flow-run.Running", "prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.*"},
            match_related=OURS,
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=silence,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message=f"nothing was heard of this run for {silence.total_seconds():.0f} s: its "
                "process or its machine is gone. What was finished is kept; start it again.",
            )
        ],
    )


def tell_failures(webhook: str) -> AutomationCore:
    """Return the automation that tells a webhook of each run of ours that failed or crashed."""
    block = CustomWebhookNotificationBlock(
        name=BLOCK,
        url=webhook,
        json_data={"subject": "{{subject}}", "text": "{{body}}"},
        allow_private_urls=True,  # a chat room of the house is the usual case
    )
    return AutomationCore(
        name="ilpix: tell of failures",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"},
            match_related=OURS,
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[
            SendNotification(
                block_document_id=block.save(BLOCK, overwrite=True),
                subject="ilpix: {{ flow_run.name }} {{ flow_run.state.name }}",
                body="{{ flow_run.state.message }}\n{{ flow_run|ui_url }}",
            )
        ],
    )


def put(automation: AutomationCore) -> None:
    """Create an automation in place of the one of the same name."""
    with get_client(sync_client=True) as client:
        for old in client.read_automations_by_name(automation.name):
            client.delete_automation(old.id)
        client.create_automation(automation)


def main(arguments: list[str]) -> None:
    """Create the automations; the last one only with a webhook."""
    put(classify_announced_folders())
    put(crash_silent_runs())
    for webhook in arguments[:1]:
        put(tell_failures(webhook))


if __name__ == "__main__":
    main(sys.argv[1:])
