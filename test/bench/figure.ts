// Draws the latencies as a picture: a line for each way to serve a request, on a logarithmic scale.

type Value = { readonly median: number };

/** A row of the bench's results. */
export type Result = {
	readonly measure: string;
	readonly values: { readonly floor?: Value; readonly core?: Value; readonly reference?: Value };
};

export type Machine = { readonly cores: number; readonly cpu: string; readonly node: string };

type Row = { readonly title: string; readonly raw: number; readonly core: number; readonly reference: number };

const rows: readonly { readonly title: string; readonly measure: string; readonly reference?: string }[] = [
	{ title: "cold: a fresh process to its first answer", measure: "first-answer" },
	{ title: "isolated: a process of its own, started now", measure: "isolated-fresh" },
	// The reference has no standby: what it does instead is start a process.
	{ title: "standby: a process of its own, started ahead", measure: "isolated-standby", reference: "isolated-fresh" },
	{ title: "warm: one process for all", measure: "warm" },
];

const width = 760;
const rowHeight = 56;
const top = 64;
const left = 40;
const right = 736;
const [fromMs, toMs] = [0.01, 10_000];

const x = (ms: number): number => left + ((right - left) * Math.log10(ms / fromMs)) / Math.log10(toMs / fromMs);
const round = (value: number): number => Math.round(value * 10) / 10;
const show = (ms: number): string => `${ms.toFixed(ms < 1 ? 2 : ms < 10 ? 1 : 0)} ms`;
const showTimes = (times: number): string =>
	`${times < 10 ? times.toFixed(1) : Math.round(times).toLocaleString("en")}×`;

/** The figure as SVG; `undefined` where a measure that it shows was not made. */
export function drawFigure(results: readonly Result[], machine: Machine, date: string): string | undefined {
	const find = (measure: string): Result["values"] | undefined =>
		results.find((result) => result.measure === measure)?.values;
	const series = rows.map(({ title, measure, reference = measure }) => ({
		title,
		raw: find(measure)?.floor?.median ?? 0,
		core: find(measure)?.core?.median ?? 0,
		reference: find(reference)?.reference?.median ?? 0,
	}));
	if (series.some(({ raw, core, reference }) => !raw || !core || !reference)) return undefined;
	const bottom = top + rowHeight * rows.length;
	const height = bottom + 56;
	const ticks = Array.from({ length: Math.round(Math.log10(toMs / fromMs)) + 1 }, (_, index) => fromMs * 10 ** index);
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
		`<title id="title">Latency of one request: ${series.map(({ title, core, reference }) => `${title}: ${show(core)}, the reference ${show(reference)}`).join("; ")}</title>`,
		`<style>
			text { font: 13px system-ui, sans-serif; fill: #1f2328; }
			.note { font-size: 11px; fill: #59636e; }
			.grid { stroke: #d1d9e0; }
			.span { stroke: #59636e; stroke-width: 2; opacity: .45; }
			.core { fill: #0969da; } .reference { fill: #bc4c00; } .raw { stroke: #59636e; stroke-width: 2; }
			@media (prefers-color-scheme: dark) {
				text { fill: #f0f6fc; }
				.note { fill: #9198a1; }
				.grid { stroke: #3d444d; }
				.span { stroke: #9198a1; }
				.core { fill: #4493f8; } .reference { fill: #f0883e; } .raw { stroke: #9198a1; }
			}
		</style>`,
		...drawLegend(),
		...ticks.map((ms) => drawTick(ms, bottom)),
		...series.flatMap((row, index) => drawRow(row, top + rowHeight * index)),
		`<text class="note" x="${left}" y="${height - 10}">Medians, logarithmic scale; ${machine.cores} cores, ${machine.cpu}, Node.js ${machine.node.slice(1)}, ${date.slice(0, 10)}</text>`,
		"</svg>",
		"",
	].join("\n");
}

function drawLegend(): string[] {
	const y = 26;
	return [
		`<circle class="core" cx="${left + 6}" cy="${y}" r="6"/><text x="${left + 20}" y="${y + 4}">mcp-stdio-lambda</text>`,
		`<circle class="reference" cx="${left + 176}" cy="${y}" r="6"/><text x="${left + 190}" y="${y + 4}">@aws/run-mcp-servers-with-aws-lambda</text>`,
		`<path class="raw" d="M${left + 480} ${y - 8}v16"/><text x="${left + 492}" y="${y + 4}">the server over a raw pipe</text>`,
	];
}

function drawTick(ms: number, bottom: number): string {
	const label = ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
	return `<path class="grid" d="M${round(x(ms))} ${top - 12}V${bottom}"/><text class="note" x="${round(x(ms))}" y="${bottom + 18}" text-anchor="middle">${label}</text>`;
}

function drawRow({ title, raw, core, reference }: Row, y: number): string[] {
	const line = y + 30;
	const faster = reference / core;
	return [
		`<text x="${left}" y="${y + 10}">${title}: ${showTimes(faster)} faster</text>`,
		`<path class="span" d="M${round(x(core))} ${line}H${round(x(reference))}"/>`,
		`<path class="raw" d="M${round(x(raw))} ${line - 8}v16"/>`,
		`<circle class="core" cx="${round(x(core))}" cy="${line}" r="6"/>`,
		`<circle class="reference" cx="${round(x(reference))}" cy="${line}" r="6"/>`,
		`<text class="note" x="${round(x(Math.min(core, raw)) - 12)}" y="${line + 4}" text-anchor="end">${show(core)}</text>`,
		`<text class="note" x="${round(x(reference) + 12)}" y="${line + 4}">${show(reference)}</text>`,
	];
}
