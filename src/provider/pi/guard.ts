// Asks whoever drives the agent before a tool changes something: pi itself asks for none of them.
const READS = new Set(["read", "grep", "find", "ls"]);
// Where nothing runs it, this line says what it does:
//@ {"on":"tool_call","except":["read","grep","find","ls"],"confirm":"Allow tool: ${tool}","reason":"Denied by the policy of this run"}

export default function (pi: any) {
  pi.on("tool_call", async (event: any, ctx: any) => {
    if (READS.has(event.toolName)) return undefined;
    const allowed = await ctx.ui.confirm(`Allow tool: ${event.toolName}`, JSON.stringify(event.input));
    return allowed ? undefined : { block: true, reason: "Denied by the policy of this run" };
  });
}
