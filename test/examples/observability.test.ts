import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { metricNames } from "../../src/powertools/metrics.ts";

type Resource = {
	readonly Type: string;
	readonly Properties: {
		readonly DashboardBody?: { readonly "Fn::Sub": string };
		readonly Namespace?: unknown;
		readonly MetricName?: string;
		readonly Dimensions?: readonly unknown[];
		readonly Metrics?: readonly {
			readonly Id: string;
			readonly Expression?: string;
			readonly MetricStat?: {
				readonly Metric: { readonly MetricName: string; readonly Dimensions: readonly unknown[] };
			};
		}[];
	};
};

type Template = {
	readonly Parameters: Record<string, unknown>;
	readonly Resources: Record<string, Resource>;
};

const file = new URL("../../examples/observability/template.json", import.meta.url);
const text = readFileSync(file, "utf8");
const template: Template = JSON.parse(text);
const body = JSON.parse(template.Resources.Dashboard?.Properties.DashboardBody?.["Fn::Sub"] ?? "") as {
	readonly widgets: readonly {
		readonly type: string;
		readonly x: number;
		readonly width: number;
		readonly properties: { readonly metrics?: readonly (readonly unknown[])[]; readonly query?: string };
	}[];
};
const promised: readonly string[] = Object.values(metricNames);
const alarms = Object.values(template.Resources).filter(({ Type }) => Type === "AWS::CloudWatch::Alarm");

/** Names in what is written for people do not count. */
const mentioned = (value: unknown): string[] => JSON.stringify(value).match(/\bMcp[A-Z]\w+/g) ?? [];

describe("the dashboard", () => {
	test("shows every metric of the code and no other", () => {
		expect([...new Set(mentioned(body))].sort()).toEqual([...promised].sort());
	});

	test("has the dimensions under which Powertools writes them", () => {
		const rows = body.widgets.flatMap(({ properties }) => properties.metrics ?? []);
		const own = rows.filter(([namespace]) => /^\$\{Namespace\}$/.test(String(namespace)));
		expect(own.length).toBeGreaterThanOrEqual(promised.length - 1);
		for (const [, name, ...dimensions] of own) {
			expect(promised).toContain(name);
			expect(dimensions.slice(0, 2)).toEqual(["service", expect.stringMatching(/^\$\{Service\}$/)]);
		}
	});

	test("fits the 24 columns of a dashboard", () => {
		for (const { x, width } of body.widgets) expect(x + width).toBeLessThanOrEqual(24);
	});
});

describe("the alarms", () => {
	test("are on metrics of the code, or Lambda's own", () => {
		expect(alarms).toHaveLength(5);
		for (const { Properties } of alarms) {
			if (Properties.Namespace === "AWS/Lambda") continue;
			const named = mentioned([Properties.MetricName, Properties.Metrics]);
			expect(named.length).toBeGreaterThan(0);
			for (const name of named) expect(promised).toContain(name);
		}
	});

	test("use only ids in their expressions that are there", () => {
		for (const { Metrics = [] } of alarms.map(({ Properties }) => Properties)) {
			const ids = Metrics.map(({ Id }) => Id);
			for (const { Expression = "" } of Metrics) {
				for (const id of Expression.match(/[a-z]\w*/g) ?? []) expect(ids).toContain(id);
			}
		}
	});
});

test("what the template refers to is there", () => {
	const known = new Set([...Object.keys(template.Parameters), ...Object.keys(template.Resources)]);
	const references = [
		...Array.from(text.matchAll(/"Ref": "([^"]+)"/g), ([, name = ""]) => name),
		...Array.from(text.matchAll(/\$\{([\w:]+)\}/g), ([, name = ""]) => name),
	];
	for (const name of references) expect(name.startsWith("AWS::") || known.has(name), name).toBe(true);
});
