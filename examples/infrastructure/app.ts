// The app of all stacks. `-c examples=<name>,…` takes only these, so that the others need not be built.
import { App, type Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { AgentStack } from "../agent/stack.ts";
import { EnvironmentLifetimeStack } from "../environment-lifetime/stack.ts";
import { ObservabilityStack } from "../observability/stack.ts";
import { SecretsStack } from "../secrets/stack.ts";
import { TimeStack } from "../time/stack.ts";
import { WeatherAlertsStack } from "../weather-alerts/stack.ts";
import { applyChecks } from "./checks.ts";
import { stackName } from "./examples.ts";

const stacks: Record<string, new (scope: Construct, id: string) => Stack> = {
	agent: AgentStack,
	"environment-lifetime": EnvironmentLifetimeStack,
	observability: ObservabilityStack,
	secrets: SecretsStack,
	time: TimeStack,
	"weather-alerts": WeatherAlertsStack,
};

const app = new App();
const wanted: unknown = app.node.tryGetContext("examples");
for (const example of typeof wanted === "string" ? wanted.split(",") : Object.keys(stacks)) {
	const ExampleStack = stacks[example];
	if (ExampleStack === undefined) {
		throw new Error(`There is no stack for the example ${example}; there are ${Object.keys(stacks).join(", ")}`);
	}
	new ExampleStack(app, stackName(example));
}
applyChecks(app);
