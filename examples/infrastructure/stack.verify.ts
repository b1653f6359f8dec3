import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { App, Stack } from "aws-cdk-lib";
import { Template as SynthesisedTemplate } from "aws-cdk-lib/assertions";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";
import { examplesFolder } from "./examples.ts";
import { readTemplate, resourcesOf, type Template } from "./synthesised.ts";

/** What every stack of an example has. */
export function assertStack(example: string): void {
	const template = readTemplate(example);
	const functions = resourcesOf(template, "AWS::Lambda::Function");
	ok(functions.length > 0);
	for (const { Properties } of functions) {
		deepEqual(Properties.Architectures, ["arm64"]);
		if (Properties.PackageType !== "Image") equal(Properties.Runtime, "nodejs24.x");
		equal(Properties.TracingConfig.Mode, "Active");
		ok(Properties.ReservedConcurrentExecutions > 0);
		const logGroup = template.Resources[Properties.LoggingConfig.LogGroup.Ref];
		ok(logGroup?.Properties.RetentionInDays > 0);
	}
	const perFunction = functions.map(() => ["lambda:InvokeFunction"]);
	deepEqual(callerStatements(template), perFunction);
	for (const statement of statements(template, "AWS::IAM::Policy", "AWS::IAM::Role")) {
		if (statement.Resource === "*")
			deepEqual(actionsOf(statement), ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]);
	}
	equal(/\b\d{12}\b/.test(JSON.stringify(template)), false);
}

/** The SAM templates of an example say the same as its stack. */
export function assertSameInSam(example: string): void {
	for (const file of readdirSync(join(examplesFolder, example))) {
		if (/^template.*\.yaml$/.test(file)) assertSameInTemplate(example, file);
	}
}

function assertSameInTemplate(example: string, file: string): void {
	const stack = readTemplate(example);
	const sam = readSamTemplate(join(examplesFolder, example, file));
	const [ofStack] = resourcesOf(stack, "AWS::Lambda::Function");
	const [ofSam] = resourcesOf(sam, "AWS::Serverless::Function");
	const same = ["Architectures", "Description", "Environment", "MemorySize", "ReservedConcurrentExecutions", "Timeout"];
	const ofSameCode = ["Handler", "PackageType", "Runtime"];
	const isImage = ofSam?.Properties.PackageType === "Image";
	// What is an image in the stack may be a zip in another template.
	const isSameCode = isImage === (ofStack?.Properties.PackageType === "Image");
	for (const name of isSameCode ? [...same, ...ofSameCode] : same) {
		deepEqual(ofSam?.Properties[name], ofStack?.Properties[name], `${name} of ${example} in ${file}`);
	}
	// `sam build` would replace the folder that was verified by one that it makes.
	if (!isImage) equal(ofSam?.Metadata?.SkipBuild, true, `SkipBuild of ${example} in ${file}`);
	equal(ofSam?.Properties.Tracing, ofStack?.Properties.TracingConfig.Mode);
	const retention = (template: Template) => resourcesOf(template, "AWS::Logs::LogGroup")[0]?.Properties.RetentionInDays;
	equal(retention(sam), retention(stack));
	deepEqual(callerStatements(sam), callerStatements(stack));
	const allowed = (template: Template) => statements(template, "AWS::IAM::Policy", "AWS::IAM::Role").map(actionsOf);
	deepEqual(allowed(sam), allowed(stack));
}

/** cdk-nag is there, and a finding fails a synthesis. */
export function assertChecksCanFail(): void {
	const app = fileURLToPath(new URL("./finding.ts", import.meta.url));
	const { status, stdout, stderr } = spawnSync(process.execPath, [app], { encoding: "utf8" });
	notEqual(status, 0, "A finding of cdk-nag does not fail a synthesis");
	match(`${stdout}${stderr}`, /AwsSolutions-S1\b/);
}

type Statement = { readonly Action: string | readonly string[]; readonly Resource: unknown };

function callerStatements(template: Template): readonly (readonly string[])[] {
	return statements(template, "AWS::IAM::ManagedPolicy").map((statement) => {
		const resource = JSON.stringify(statement.Resource);
		const names = Object.keys(template.Resources).filter((name) =>
			/Function$/.test(template.Resources[name]?.Type ?? ""),
		);
		ok(
			names.some((name) => resource.includes(name)),
			`A caller may invoke ${resource}`,
		);
		return actionsOf(statement);
	});
}

function statements(template: Template, ...types: readonly string[]): readonly Statement[] {
	return resourcesOf(template, ...types).flatMap(({ Properties: { PolicyDocument, Policies = [] } }) =>
		[PolicyDocument, ...Policies.map((policy: { readonly PolicyDocument: unknown }) => policy.PolicyDocument)].flatMap(
			(document) => document?.Statement ?? [],
		),
	);
}

function actionsOf({ Action }: Statement): readonly string[] {
	return (typeof Action === "string" ? [Action] : Action).toSorted();
}

/** The template with its parameters' defaults in their places. */
function withDefaults(template: Template): Template {
	return JSON.parse(JSON.stringify(template), (_, value: unknown) => {
		const { Ref: name } = (value ?? {}) as { readonly Ref?: string };
		return template.Parameters?.[name ?? ""]?.Default ?? value;
	});
}

function readSamTemplate(templateFile: string): Template {
	const stack = new Stack(new App(), "Sam");
	new CfnInclude(stack, "Template", { templateFile });
	return withDefaults(SynthesisedTemplate.fromStack(stack).toJSON() as Template);
}
