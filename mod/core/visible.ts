/** Text that came through the mail, made safe to show to a person. */

/**
 * Replaces what is invisible or changes how its neighbours look: control
 * characters, which a terminal obeys, and direction marks, which make one
 * address look like another.
 *
 * @param substitute Shown in place of each
 */
export function visible(text: string, substitute: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    substitute,
  );
}

/**
 * JSON that a terminal obeys nothing of: beside the control characters that
 * JSON escapes itself, those above ASCII and the marks of direction.
 */
export function tamed(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
