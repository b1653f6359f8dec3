/** A published configuration of a server, as its README has it, and what to try. */
export type PublishedServer = {
	readonly name: string;
	readonly from: "npm" | "PyPI";
	/** What is installed: with a version, so that a run can be repeated. */
	readonly install: string;
	/** The entry as people paste it into a desktop host's configuration. */
	readonly entry: {
		readonly command: string;
		readonly args: readonly string[];
		readonly env?: Readonly<Record<string, string>>;
	};
	/** A call that works without a network; without one only the list is compared. */
	readonly call?: { readonly name: string; readonly arguments: object };
	/** Which lifetime fits, by what the server keeps between requests. */
	readonly fits: "environment" | "request";
	/** Whether it is among those that CI tries. */
	readonly inCi?: boolean;
};

const npx = (...args: string[]) => ({ command: "npx", args: ["-y", ...args] });
const uvx = (...args: string[]) => ({ command: "uvx", args });

export const servers: readonly PublishedServer[] = [
	{
		name: "everything",
		from: "npm",
		install: "@modelcontextprotocol/server-everything@2026.8.31",
		entry: npx("@modelcontextprotocol/server-everything"),
		call: { name: "echo", arguments: { message: "hello" } },
		fits: "environment",
		inCi: true,
	},
	{
		name: "filesystem",
		from: "npm",
		install: "@modelcontextprotocol/server-filesystem@2026.8.31",
		entry: npx("@modelcontextprotocol/server-filesystem", "/tmp"),
		call: { name: "list_allowed_directories", arguments: {} },
		fits: "environment",
	},
	{
		name: "memory",
		from: "npm",
		install: "@modelcontextprotocol/server-memory@2026.8.31",
		entry: { ...npx("@modelcontextprotocol/server-memory"), env: { MEMORY_FILE_PATH: "/tmp/mcp-servers-memory.json" } },
		call: { name: "read_graph", arguments: {} },
		fits: "environment",
	},
	{
		name: "sequential-thinking",
		from: "npm",
		install: "@modelcontextprotocol/server-sequential-thinking@2026.8.31",
		entry: npx("@modelcontextprotocol/server-sequential-thinking"),
		fits: "request",
	},
	{
		name: "github",
		from: "npm",
		install: "@modelcontextprotocol/server-github@latest",
		entry: { ...npx("@modelcontextprotocol/server-github"), env: { GITHUB_PERSONAL_ACCESS_TOKEN: "none" } },
		fits: "environment",
	},
	{
		name: "notion",
		from: "npm",
		install: "@notionhq/notion-mcp-server@latest",
		entry: { ...npx("@notionhq/notion-mcp-server"), env: { NOTION_TOKEN: "none" } },
		fits: "environment",
	},
	{
		name: "context7",
		from: "npm",
		install: "@upstash/context7-mcp@latest",
		entry: npx("@upstash/context7-mcp@latest"),
		fits: "environment",
	},
	{
		name: "tavily",
		from: "npm",
		install: "tavily-mcp@latest",
		entry: { ...npx("tavily-mcp@latest"), env: { TAVILY_API_KEY: "none" } },
		fits: "environment",
	},
	{
		name: "time",
		from: "PyPI",
		install: "mcp-server-time",
		entry: uvx("mcp-server-time", "--local-timezone=UTC"),
		call: { name: "convert_time", arguments: { source_timezone: "UTC", time: "12:00", target_timezone: "Asia/Tokyo" } },
		fits: "environment",
		inCi: true,
	},
	{
		name: "fetch",
		from: "PyPI",
		install: "mcp-server-fetch",
		entry: uvx("mcp-server-fetch"),
		fits: "environment",
	},
	{
		name: "git",
		from: "PyPI",
		install: "mcp-server-git",
		entry: uvx("mcp-server-git"),
		fits: "environment",
	},
	{
		name: "sqlite",
		from: "PyPI",
		install: "mcp-server-sqlite mcp<2",
		entry: uvx("--with", "mcp<2", "mcp-server-sqlite", "--db-path", "/tmp/mcp-servers.sqlite"),
		call: { name: "list_tables", arguments: {} },
		fits: "request",
	},
	{
		name: "calculator",
		from: "PyPI",
		install: "mcp-server-calculator",
		entry: uvx("mcp-server-calculator"),
		call: { name: "calculate", arguments: { expression: "6 * 7" } },
		fits: "environment",
		inCi: true,
	},
	{
		name: "duckduckgo",
		from: "PyPI",
		install: "duckduckgo-mcp-server",
		entry: uvx("duckduckgo-mcp-server"),
		fits: "environment",
		inCi: true,
	},
	{
		name: "aws-documentation",
		from: "PyPI",
		install: "awslabs.aws-documentation-mcp-server",
		entry: { ...uvx("awslabs.aws-documentation-mcp-server@latest"), env: { FASTMCP_LOG_LEVEL: "ERROR" } },
		fits: "environment",
	},
	{
		name: "excel",
		from: "PyPI",
		install: "excel-mcp-server",
		entry: uvx("excel-mcp-server", "stdio"),
		fits: "environment",
	},
	{
		name: "office-word",
		from: "PyPI",
		install: "office-word-mcp-server",
		entry: uvx("--from", "office-word-mcp-server", "word_mcp_server"),
		fits: "environment",
	},
	{
		name: "arxiv",
		from: "PyPI",
		install: "arxiv-mcp-server",
		entry: uvx("arxiv-mcp-server", "--storage-path", "/tmp/mcp-servers-arxiv"),
		fits: "environment",
	},
	{
		name: "atlassian",
		from: "PyPI",
		install: "mcp-atlassian",
		entry: { ...uvx("mcp-atlassian"), env: { JIRA_URL: "https://none.invalid", JIRA_PERSONAL_TOKEN: "none" } },
		fits: "environment",
	},
	{
		name: "clickhouse",
		from: "PyPI",
		install: "mcp-clickhouse",
		entry: {
			...uvx("mcp-clickhouse"),
			env: { CLICKHOUSE_HOST: "none.invalid", CLICKHOUSE_USER: "a", CLICKHOUSE_PASSWORD: "b" },
		},
		fits: "environment",
	},
	{
		name: "markitdown",
		from: "PyPI",
		install: "markitdown-mcp",
		entry: uvx("markitdown-mcp"),
		fits: "environment",
	},
];
