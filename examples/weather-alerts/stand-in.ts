import { type StandIn, type StandInAnswer, startStandIn } from "../infrastructure/stand-in.ts";

/** Stands in for api.weather.gov: a few alerts, in the shape of https://www.weather.gov/documentation/services-web-api. */
export async function startWeatherService(): Promise<StandIn> {
	return await startStandIn((request, url) => {
		// As weather.gov, which answers nobody who does not say who is asking.
		if (!request.headers["user-agent"]?.includes("mcp-stdio-lambda")) return problem(403, "Forbidden");
		const area = /^\/alerts\/active\/area\/([^/]+)$/.exec(url.pathname)?.[1] ?? url.searchParams.get("area");
		if (area !== null && !/^[A-Z]{2}$/.test(area)) return problem(400, "Bad Request");
		if (url.pathname === "/alerts/types") {
			return { type: "application/ld+json", body: { "@context": [], eventTypes: alerts.map(({ event }) => event) } };
		}
		if (url.pathname === "/alerts/active/count") {
			const areas = Object.fromEntries(alerts.map(({ area }) => [area, 1]));
			return { body: { total: alerts.length, land: 1, marine: 1, regions: {}, areas, zones: {} } };
		}
		if (url.pathname === "/alerts/active" || url.pathname.startsWith("/alerts/active/area/")) {
			return collection(alerts.filter((alert) => area === null || alert.area === area));
		}
		return problem(404, "Not Found");
	});
}

type Alert = (typeof alerts)[number];

const alerts = [
	{ area: "TX", event: "Flood Warning", severity: "Severe", place: "Harris, TX", office: "NWS Houston/Galveston TX" },
	{ area: "GM", event: "Gale Warning", severity: "Moderate", place: "Gulf waters", office: "NWS New Orleans LA" },
] as const;

function collection(found: readonly Alert[]): StandInAnswer {
	const body = {
		"@context": ["https://geojson.org/geojson-ld/geojson-context.jsonld"],
		type: "FeatureCollection",
		title: "Current watches, warnings, and advisories",
		updated: "2026-11-24T20:00:00+00:00",
		features: found.map((alert) => {
			const id = `urn:oid:2.49.0.1.840.0.${alert.area.toLowerCase()}`;
			return {
				id: `https://api.weather.gov/alerts/${id}`,
				type: "Feature",
				geometry: null,
				properties: {
					"@type": "wx:Alert",
					id,
					areaDesc: alert.place,
					sent: "2026-11-24T19:30:00-06:00",
					effective: "2026-11-24T19:30:00-06:00",
					expires: "2026-11-25T07:30:00-06:00",
					status: "Actual",
					messageType: "Alert",
					category: "Met",
					severity: alert.severity,
					certainty: "Likely",
					urgency: "Expected",
					event: alert.event,
					senderName: alert.office,
					headline: `${alert.event} issued November 24 at 7:30PM CST by ${alert.office}`,
					description: "Moderate flooding is occurring and is forecast to continue.",
					instruction: "Turn around, don't drown.",
				},
			};
		}),
	};
	return { type: "application/geo+json", body };
}

function problem(status: number, title: string): StandInAnswer {
	return { status, type: "application/problem+json", body: { type: `urn:${status}`, title, status, detail: title } };
}
