"""An Azure ML workspace with all it stands on, as any azure-native program has it."""

import pulumi
import pulumi_azure_native as azure_native
from pulumi_azure_native import machinelearningservices as ml

config = pulumi.Config()
tags = {"owner": config.get("owner") or "team"}
client = azure_native.authorization.get_client_config_output()
reader = pulumi.Output.concat(
    "/subscriptions/",
    client.subscription_id,
    "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
)

group = azure_native.resources.ResourceGroup("amln", tags=tags)
common = {"resource_group_name": group.name, "tags": tags}
account = azure_native.storage.StorageAccount(
    "amlnstore",
    kind=azure_native.storage.Kind.STORAGE_V2,
    sku={"name": azure_native.storage.SkuName.STANDARD_LRS},
    allow_shared_key_access=False,
    **common,
)
container = azure_native.storage.BlobContainer(
    "models", resource_group_name=group.name, account_name=account.name, container_name="amln-models"
)
vault = azure_native.keyvault.Vault(
    "amlnvault",
    properties={
        "tenant_id": client.tenant_id,
        "sku": {"family": azure_native.keyvault.SkuFamily.A, "name": azure_native.keyvault.SkuName.STANDARD},
        "enable_rbac_authorization": True,
    },
    **common,
)
insights = azure_native.applicationinsights.Component("insights", kind="web", **common)
registry = azure_native.containerregistry.Registry("registry", sku={"name": "Basic"}, **common)
identity = azure_native.managedidentity.UserAssignedIdentity("identity", **common)
workspace = ml.Workspace(
    "mlw",
    identity={
        "type": ml.ManagedServiceIdentityType.SYSTEM_ASSIGNED_USER_ASSIGNED,
        "user_assigned_identities": [identity.id],
    },
    storage_account=account.id,
    key_vault=vault.id,
    application_insights=insights.id,
    container_registry=registry.id,
    system_datastores_auth_mode="Identity",
    **common,
)
compute = ml.Compute(
    "cluster",
    workspace_name=workspace.name,
    properties={
        "compute_type": "AmlCompute",
        "properties": {
            "vm_size": "Standard_DS3_v2",
            "scale_settings": {"min_node_count": 0, "max_node_count": config.get_int("nodes") or 2},
        },
    },
    **common,
)
endpoint = ml.OnlineEndpoint(
    "houses",
    workspace_name=workspace.name,
    properties={"auth_mode": ml.EndpointAuthMode.KEY},
    # Every update is a whole PUT, which would take away the traffic that is not declared here.
    opts=pulumi.ResourceOptions(ignore_changes=["tags", "properties", "identity", "sku", "kind"]),
    **common,
)
reads = azure_native.authorization.RoleAssignment(
    "reads",
    scope=account.id,
    principal_id=workspace.identity.apply(lambda own: own.principal_id),
    principal_type=azure_native.authorization.PrincipalType.SERVICE_PRINCIPAL,
    role_definition_id=reader,
)

pulumi.export("groupName", group.name)
pulumi.export("workspace", workspace.id)
pulumi.export("tracking", workspace.ml_flow_tracking_uri)
pulumi.export("principal", workspace.identity.apply(lambda own: own.principal_id))
pulumi.export("identity", identity.id)
pulumi.export("endpoint", endpoint.id)
pulumi.export("scoring", endpoint.properties.apply(lambda own: own.scoring_uri))
pulumi.export("insights", insights.instrumentation_key)
pulumi.export(
    "storageKey",
    ml.list_workspace_keys_output(
        resource_group_name=group.name, workspace_name=workspace.name
    ).user_storage_key,
)
