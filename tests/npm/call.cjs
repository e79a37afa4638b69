// One call of a published client: node call.cjs '{"client", "url", "subscription", "token", "operations", "method", "arguments"}'.
// What it answers goes to standard output as JSON: {"value"}, or {"error": {"code", "message", "statusCode"}}.
'use strict';

const order = JSON.parse(process.argv[2]);

function webServices() {
  const { TokenCredentials } = require('ms-rest');
  const { WebServicesManagementClient } = require('azure-arm-machinelearning');
  // Without it the client waits half a minute before it looks at an operation, since the service names no time.
  const options = { longRunningOperationRetryTimeout: 0.05 };
  return new WebServicesManagementClient(new TokenCredentials(order.token), order.subscription, order.url, options);
}

function commitmentPlans() {
  const { AzureMLCommitmentPlansManagementClient } = require('@azure/arm-commitmentplans');
  const token = { token: order.token, expiresOnTimestamp: Date.now() + 3600_000 };
  const credential = { getToken: async () => token };
  return new AzureMLCommitmentPlansManagementClient(credential, order.subscription, { baseUri: order.url });
}

const client = { webServices, commitmentPlans }[order.client]();
client[order.operations][order.method](...order.arguments).then(
  (value) => console.log(JSON.stringify({ value: value === undefined ? null : value })),
  ({ code, message, statusCode }) => console.log(JSON.stringify({ error: { code, message, statusCode } })),
);
