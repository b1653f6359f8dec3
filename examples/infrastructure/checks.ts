import { type App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";

/** Applies cdk-nag's AwsSolutions rules: `app.synth()` fails on a finding that is not acknowledged where it arises. */
export function applyChecks(app: App): void {
	Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
}
