/** What a line on stderr is worth as the reason of a failure. */
const worth = { nothing: 0, little: 1, something: 2, complaint: 3, error: 4 } as const;

/** Lines are looked at up to this length only; the rest of a longer one is cut. */
const longestLine = 400;
const longestRead = 2 * longestLine;

// CSI sequences of terminals, and the frames that rich, boxen and the like draw.
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are told what to do with one
const decoration = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u2500-\u257f]+/g;

const trailers: readonly RegExp[] = [
	/^(Node\.js|Bun|Deno) v?\d/,
	/^(at|File) .*[:(]|^goroutine \d|^exit status \d+$|^created by |^main\.main\(/,
	/^node:|^file:\/\/|^\(Use `node --trace|^Traceback \(most recent|^During handling of|^The above exception/,
	/^note: |^stack backtrace:|^BEGIN failed--|^Compilation failed in require|^\d+: (0x|[\w<].*::)|^Require stack:|^- \/|^\.\.\. \d+ /,
	/complete log of this run|^For (more|further) (help|information)\b|^(See|Visit|Docs?:?|More info:?) https?:|^https?:\/\/\S+$/i,
	/^(npm|pnpm) (notice|warn)|^npm (error|ERR!)( [a-z]* *[^ ]*)?$|^\[dotenv|\bnpm install -g npm@/i,
	/^throw |^raise |^sys\.exit\(|^return |^await |^const |^import |^from .* import /,
];

const warnings = /^(\(node:\d+\) )?(\[?(DEP\d+|[A-Za-z]*Warning)\]?)[: ]|\b(DEBUG|TRACE|INFO)\b|^warn(ing)?\b/i;

const errors: readonly RegExp[] = [
	/^\[?(Uncaught )?(Unhandled exception\.? |Exception in thread "[^"]*" |Caused by: )?[\w.$]*(Error|Exception|Exit)( \[\w+\])?(:|$)/,
	/^(panic|fatal error|fatal|error|critical)(\[\w+\])?(:| -)|^thread '.*' (\(\d+\) )?panicked|^Can't locate \S+ in @INC/i,
	/: (fatal )?error: |"level": ?"(error|fatal)"|^Segmentation fault|command not found$|: not found$|: No module named /i,
];

const complaints =
	/\b(error|fatal|failed|failure|required|missing|must|cannot|can't|could not|couldn't|unable to|not (found|set|defined|provided|specified|permitted|allowed|exist)|no such|undefined|denied|refused|unauthorized|forbidden|invalid|unknown|unrecognized|unsupported|unexpected|expected|exception|panic|EADDRINUSE|ENOENT|EACCES|EROFS)\b/i;

/**
 * The line that says why a program failed, of what it wrote on stderr: its error, not the trailer of its runtime, its stack
 * or its usage. `undefined` when it wrote nothing. Linear in what it is given.
 */
export function reasonOn(stderr: readonly string[]): string | undefined {
	const lines = stderr.map(clean);
	let best = -1;
	let most: number = worth.nothing;
	for (const [index, line] of lines.entries()) {
		const value = worthOf(line, stderr[index] ?? "");
		// Of lines that are worth the same the later one: it is what the program ended with.
		if (value === worth.nothing || value < most) continue;
		most = value;
		best = index;
	}
	if (best === -1) return undefined;
	return withContinuation(lines, best);
}

/** Node.js explains at length what a rejection is before it says with what. */
function withoutPreamble(line: string): string {
	const reason = line.indexOf("The promise rejected with the reason ");
	return reason === -1 ? line : `Error: ${line.slice(reason)}`;
}

function clean(line: string): string {
	const text = withoutPreamble(line.slice(0, longestRead)).slice(0, longestLine).replaceAll(decoration, " ").trim();
	// Python draws a tree of bars in front of exception groups, and Node.js opens an object behind an error.
	return text.replace(/^(\|\s*)+(?=\S)/, "").replace(/(?<=[^:\s])\s*\{$/, "");
}

function worthOf(line: string, raw: string): number {
	if (!/[\p{L}\p{N}]/u.test(line) || trailers.some((trailer) => trailer.test(line))) return worth.nothing;
	if (warnings.test(line)) return worth.little;
	const plain = withoutPrefix(line);
	if (errors.some((error) => error.test(plain))) return worth.error;
	// What is indented belongs to something else: usage, a stack, the members of an object.
	if (complaints.test(line)) return /^\s{2}/.test(raw) ? worth.something : worth.complaint;
	return worth.something;
}

/** Without the time, the level and the name that loggers put in front. */
function withoutPrefix(line: string): string {
	return line.replace(/^(\[?\d{4}-\d\d-\d\d[T ][\d:.,]+(Z|[+-]\d\d:?\d\d)?\]?[ ,|-]*|\[[^\]]{1,60}\] ?)+/, "");
}

/** Members of an issue of zod's that say less than its path and its message. */
const issueFacts = /^"?(code|expected|received|origin|fatal|input|validation)"?: /;

/** An error that only announces what follows (`1 validation error for Settings`, `Error:`) is told with it. */
function withContinuation(lines: readonly string[], index: number): string {
	const line = lines[index] ?? "";
	if (!/(:|: \[|: \{|validation errors? for \S+)$/.test(line) && !/^\W*(error|errors)\W*$/i.test(line)) return line;
	const following = lines
		.slice(index + 1, index + 14)
		.filter((next) => worthOf(next, next) > worth.nothing && !issueFacts.test(next));
	return [line, ...following.slice(0, 3)].join(" ").slice(0, longestLine);
}
