import { ok, strictEqual } from "node:assert/strict";

/** What the server tells of a moment. */
export type Moment = {
	readonly timezone: string;
	readonly datetime: string;
	readonly day_of_week: string;
	readonly is_dst: boolean;
};

const dayMs = 24 * 60 * 60 * 1000;

/** Asserts that what the server tells of a moment is what Intl does. */
export function assertMoment(moment: Moment, timezone: string): void {
	const at = new Date(moment.datetime);
	const offset = moment.datetime.slice(-6);
	strictEqual(moment.timezone, timezone);
	strictEqual(offset, offsetAt(at, timezone));
	strictEqual(moment.day_of_week, part(at, timezone, "weekday", { weekday: "long" }));
	strictEqual(moment.is_dst, hours(offset) > Math.min(...[0, 6].map((month) => hours(offsetIn(month, timezone)))));
}

/** Asserts that a moment is one between two times, to the second. */
export function assertBetween(moment: Moment, from: number, to: number): void {
	const at = Date.parse(moment.datetime);
	ok(at >= Math.floor(from / 1000) * 1000 && at <= to, `${moment.datetime} is not now`);
}

/** What the server tells of a time of today in two timezones. */
export type Conversion = { readonly source: Moment; readonly target: Moment; readonly time_difference: string };

/** The arguments of `convert_time`. */
export type ConversionArguments = {
	readonly source_timezone: string;
	readonly time: string;
	readonly target_timezone: string;
};

/** Asserts that a time of today was converted as Intl converts it. */
export function assertConversion(
	conversion: Conversion,
	{ source_timezone, time, target_timezone }: ConversionArguments,
): void {
	assertMoment(conversion.source, source_timezone);
	assertMoment(conversion.target, target_timezone);
	const at = new Date(conversion.source.datetime);
	strictEqual(conversion.source.datetime.slice(11, 16), time);
	ok(Math.abs(at.getTime() - Date.now()) <= dayMs, `${conversion.source.datetime} is not today`);
	strictEqual(Date.parse(conversion.target.datetime), at.getTime());
	const difference = hours(offsetAt(at, target_timezone)) - hours(offsetAt(at, source_timezone));
	strictEqual(Number.parseFloat(conversion.time_difference), difference);
}

function offsetIn(month: number, timezone: string): string {
	return offsetAt(new Date(new Date().getFullYear(), month, 1), timezone);
}

/** "-05:00" */
function offsetAt(at: Date, timezone: string): string {
	const name = part(at, timezone, "timeZoneName", { timeZoneName: "longOffset" });
	return name === "GMT" ? "+00:00" : name.slice("GMT".length);
}

function hours(offset: string): number {
	const [hour = 0, minute = 0] = offset.split(":").map(Number);
	return hour + (offset.startsWith("-") ? -minute : minute) / 60;
}

function part(
	at: Date,
	timeZone: string,
	type: Intl.DateTimeFormatPartTypes,
	options: Intl.DateTimeFormatOptions,
): string {
	const parts = new Intl.DateTimeFormat("en-US", { timeZone, ...options }).formatToParts(at);
	return parts.find((candidate) => candidate.type === type)?.value ?? "";
}
