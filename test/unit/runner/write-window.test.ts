import { describe, expect, test } from "vitest";
import { WriteWindow } from "../../../src/runner/write-window.ts";

/** Writes by their names, as they were sent. */
function stage(maxBytes: number): {
  sent: string[];
  enter: (name: string, bytes: number, call?: number) => void;
  window: WriteWindow;
} {
  const window = new WriteWindow(maxBytes);
  const sent: string[] = [];
  const enter = (name: string, bytes: number, call = 1): void => {
    const send = (): void => void sent.push(name);
    if (window.enter(bytes)) send();
    else window.wait({ call, bytes, send });
  };
  return { sent, window, enter };
}

describe("writes of a process", () => {
  test("go up to the bound, and the others as those are answered", () => {
    const { sent, enter, window } = stage(10);
    enter("a", 6);
    enter("b", 4);
    enter("c", 3);
    enter("d", 3);
    expect(sent).toEqual(["a", "b"]);
    window.leave(4);
    expect(sent).toEqual(["a", "b", "c"]);
    window.leave(6);
    expect(sent).toEqual(["a", "b", "c", "d"]);
  });

  test("that are larger than the bound go alone", () => {
    const { sent, enter, window } = stage(10);
    enter("small", 1);
    enter("large", 50);
    enter("behind it", 1);
    expect(sent).toEqual(["small"]);
    window.leave(1);
    expect(sent).toEqual(["small", "large"]);
    window.leave(50);
    expect(sent).toEqual(["small", "large", "behind it"]);
  });

  test("keep their order, also where a later one would fit", () => {
    const { sent, enter, window } = stage(10);
    enter("a", 8);
    enter("b", 5);
    enter("c", 1);
    expect(sent).toEqual(["a"]);
    window.leave(8);
    expect(sent).toEqual(["a", "b", "c"]);
  });

  test("of a call that has ended are not sent any more", () => {
    const { sent, enter, window } = stage(10);
    enter("a", 10, 1);
    enter("b", 10, 2);
    enter("c", 10, 3);
    window.endCall(2);
    window.leave(10);
    expect(sent).toEqual(["a", "c"]);
  });
});
