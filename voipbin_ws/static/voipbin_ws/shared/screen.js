/** The screen of the page: full screen, and a lock that keeps it on. */

export async function toggleFullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    // Some browsers have no full screen, or forbid it to the page.
  }
}

export class ScreenLock {
  #isWanted = false;
  #changed;
  /** @type {WakeLockSentinel | null} */ #lock = null;

  /** @param {(isMissing: boolean) => void} changed Called with whether the screen should stay on and may not. */
  constructor(changed) {
    this.#changed = changed;
    // The browser releases the lock of a hidden page.
    document.addEventListener("visibilitychange", () => this.#update());
  }

  /** Keep the screen on, or no longer. @param {boolean} isWanted */
  keep(isWanted) {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    this.#update();
  }

  async #update() {
    const isWanted = this.#isWanted && document.visibilityState === "visible";
    if (!isWanted) {
      await this.#lock?.release();
      this.#lock = null;
    } else if (this.#lock === null || this.#lock.released) {
      try {
        this.#lock = await navigator.wakeLock.request("screen");
      } catch {
        this.#lock = null;
      }
    }
    this.#changed(isWanted && this.#lock === null);
  }
}
