/**
 * Text to words, the same way wherever a message is taken and wherever it is
 * looked for: letters and digits of any script, in lower case. Pure.
 */
import { MAX_WORD, MAX_WORDS } from "./intake.ts";

/** Characters of a text that are read; a subject says what it is before. */
const MAX_READ = 1_000;

/** The words of a text, each once, in their order; at most {@link MAX_WORDS}. */
export function wordsOf(text: string): string[] {
  const words = new Set<string>();
  let word = "";
  const end = () => {
    if (word !== "") words.add(cut(word));
    word = "";
  };
  // Compatibility forms first: a subject in full-width letters is the same.
  for (const char of text.slice(0, MAX_READ).normalize("NFKC").toLowerCase()) {
    if (isOfWord(char)) word += char;
    else end();
    if (words.size === MAX_WORDS) return [...words];
  }
  end();
  return [...words];
}

/** Longer ones are found by their beginning, never by half a character. */
function cut(word: string): string {
  if (word.length <= MAX_WORD) return word;
  const short = word.slice(0, MAX_WORD);
  return short.isWellFormed() ? short : short.slice(0, -1);
}

function isOfWord(char: string): boolean {
  // One character at a time: linear, whatever the text.
  return /^[\p{L}\p{M}\p{N}]$/u.test(char);
}
