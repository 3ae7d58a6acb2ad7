// Bodies laid out to be read. What cannot be parsed is shown as it is.
const TOKEN = /<!\[CDATA\[[\s\S]*?\]\]>|<[^>]+>|[^<]+/g;

export function prettyXml(text) {
  if (!text.startsWith("<")) return text;
  let depth = 0;
  let out = "";
  let opensLine = true;
  for (const token of text.match(TOKEN) ?? []) {
    const isTag = token.startsWith("<") && !token.startsWith("<!");
    if (!isTag && !token.trim()) continue;
    const closes = token.startsWith("</");
    if (closes) depth -= 1;
    if (isTag && (!closes || opensLine)) out += (out ? "\n" : "") + "  ".repeat(depth);
    out += token.startsWith("<!") || isTag ? token : token.trim();
    opensLine = closes;
    if (isTag && !closes && !token.endsWith("/>")) depth += 1;
  }
  return out;
}

export function prettyJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
