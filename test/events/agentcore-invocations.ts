/** The client context of a tool call at a Lambda target of AgentCore Gateway, as AWS documents it. */
export function agentCoreContext(toolName: string, more: Readonly<Record<string, unknown>> = {}): { custom: object } {
	return {
		custom: {
			bedrockAgentCoreMessageVersion: "1.0",
			bedrockAgentCoreAwsRequestId: "gateway-request-1",
			bedrockAgentCoreMcpMessageId: "message-1",
			bedrockAgentCoreGatewayId: "gateway-1",
			bedrockAgentCoreTargetId: "TARGET1",
			bedrockAgentCoreToolName: toolName,
			...more,
		},
	};
}
