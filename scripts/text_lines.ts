/** Cuts a stream of text into lines, without their ends. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let held = "";
    super({
      transform: (text, controller) => {
        const lines = (held + text).split("\n");
        held = lines.pop()!;
        for (const line of lines) controller.enqueue(line);
      },
      flush: (controller) => {
        if (held !== "") controller.enqueue(held);
      },
    });
  }
}
