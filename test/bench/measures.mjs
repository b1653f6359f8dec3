// What is measured, and what there is to reach. A row takes one metric of the sides of a measure; a goal makes one figure
// of the medians of a round. Sides of a round ran next to each other, so a figure per round is what can be trusted.

/** `core` as a multiple of the floor. */
const atMostTimes = (limit) => ({
	wanted: `≤ ${limit}× raw`,
	figure: ({ floor, core }) => core / floor,
	show: (figure) => `${figure.toFixed(2)}× raw`,
	reached: (figure) => figure <= limit,
});

const atLeastTimes = (limit) => ({
	wanted: `≥ ${limit}× raw`,
	figure: ({ floor, core }) => core / floor,
	show: (figure) => `${figure.toFixed(2)}× raw`,
	reached: (figure) => figure >= limit,
});

const fasterThanReference = (limit) => ({
	wanted: `≥ ${limit.toLocaleString("en")}× faster`,
	figure: ({ core, reference }) => reference / core,
	show: (figure) => `${figure < 100 ? figure.toFixed(1) : Math.round(figure).toLocaleString("en")}× faster`,
	reached: (figure) => figure >= limit,
	// Where starting the server takes most of the time, a slow or busy machine keeps even the floor from it.
	atFloor: ({ floor, reference }) => reference / floor,
});

/** What `core` has on top of the floor. */
const atMostMore = (limit, unit, floorName) => ({
	wanted: `≤ ${limit} ${unit} over ${floorName}`,
	figure: ({ floor, core }) => core - floor,
	show: (figure) => `+${figure.toFixed(limit < 1 ? 3 : 1)} ${unit}`,
	reached: (figure) => figure <= limit,
});

/** In percent, what `core` takes longer than the floor. */
const atMostPercent = (limit, floorName) => ({
	wanted: `≤ ${limit} % over ${floorName}`,
	figure: ({ floor, core }) => (core / floor - 1) * 100,
	show: (figure) => `${figure < 0 ? "" : "+"}${figure.toFixed(1)} %`,
	reached: (figure) => figure <= limit,
});

/** The price of a byte in the largest answer, against that in the smallest. */
const linear = {
	wanted: "≤ 1.5× per byte",
	figure: (_, { core }) => core["20 MB"] / core["100 kB"] / 200,
	show: (figure) => `${figure.toFixed(2)}× per byte`,
	reached: (figure) => figure <= 1.5,
};

const payloadRow = (size, goals) => ({ title: `${size} answer`, metric: size, unit: "ms", goals });

const clientMeasure = (name, title) => ({
	name,
	sides: ["bare", "transport"],
	rows: [
		{
			title,
			metric: "ms",
			unit: "ms",
			floor: "bare",
			core: "transport",
			goals: [atMostPercent(5, "LambdaClient.send")],
		},
	],
});

export const measures = [
	{
		name: "warm",
		sides: ["raw", "core", "reference"],
		rows: [
			{
				title: 'warm request, lifetime "environment"',
				metric: "ms",
				unit: "ms",
				goals: [atMostTimes(1.5), fasterThanReference(1000)],
			},
		],
	},
	{
		name: "middleware",
		sides: ["bare", "middleware"],
		rows: [
			{
				title: "warm request through Middy",
				metric: "ms",
				unit: "ms",
				floor: "bare",
				core: "middleware",
				goals: [atMostMore(0.1, "ms", "runStdioRequest")],
			},
		],
	},
	clientMeasure("client-function", "call of a warm function"),
	clientMeasure("client-stub", "call of an endpoint that answers at once"),
	{
		name: "isolated-standby",
		sides: ["raw", "core"],
		rows: [{ title: "isolated request, standby ready", metric: "ms", unit: "ms", goals: [atMostTimes(1.3)] }],
	},
	{
		name: "isolated-fresh",
		sides: ["raw", "core", "reference"],
		rows: [
			{
				title: "isolated request, no standby",
				metric: "ms",
				unit: "ms",
				goals: [atMostTimes(1.1), fasterThanReference(3)],
			},
		],
	},
	{
		name: "import",
		sides: ["empty", "core", "reference"],
		perRound: 4,
		rows: [
			{
				title: "import, inside the process",
				metric: "ms",
				unit: "ms",
				floor: "empty",
				goals: [atMostMore(15, "ms", "an empty module")],
			},
			{
				title: "import, the whole process",
				metric: "exitMs",
				unit: "ms",
				floor: "empty",
				goals: [atMostMore(15, "ms", "an empty module")],
			},
		],
	},
	{
		name: "first-answer",
		sides: ["raw", "core", "reference"],
		perRound: 3,
		rows: [
			{
				title: "fresh process to first answer",
				metric: "firstLineMs",
				unit: "ms",
				goals: [atMostTimes(1.15), fasterThanReference(3)],
			},
			{ title: "… and to its end", metric: "exitMs", unit: "ms", goals: [] },
		],
	},
	{
		name: "concurrent",
		sides: ["raw", "core"],
		rows: [{ title: "1,000 concurrent requests", metric: "perSec", unit: "/s", goals: [atLeastTimes(0.7)] }],
	},
	{
		name: "payload",
		sides: ["raw", "core"],
		rows: [
			payloadRow("100 kB", []),
			payloadRow("1 MB", []),
			payloadRow("5 MB", [atMostTimes(1.5)]),
			payloadRow("20 MB", [linear]),
		],
	},
	{
		name: "memory",
		sides: ["empty", "imported", "raw", "core"],
		rows: [
			{
				title: "memory (RSS) after import",
				metric: "mb",
				unit: "MB",
				floor: "empty",
				core: "imported",
				goals: [atMostMore(10, "MB", "an empty process")],
			},
			{
				title: "memory (RSS) after 1,000 requests",
				metric: "mb",
				unit: "MB",
				goals: [atMostMore(10, "MB", "raw")],
			},
		],
	},
	{
		name: "standby",
		sides: ["core"],
		rounds: 2,
		rows: [
			{ title: "an idle standby: memory (RSS)", metric: "mb", unit: "MB", goals: [] },
			{ title: "an idle standby: CPU time in 5 s", metric: "standbyCpuMs", unit: "ms", goals: [] },
			{ title: "its host: CPU time in 5 s", metric: "hostCpuMs", unit: "ms", goals: [] },
		],
	},
];
