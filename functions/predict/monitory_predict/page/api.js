// The service's HTTP API: the key, requests, and what can go wrong with them.

import { device, session } from "./storage.js";

const ROOT = new URL("../api/v1/", import.meta.url);
const SECONDS = 30;
const KEY = "key";

/** Offline, or no answer in time; the other statuses are HTTP's. */
export const NO_ANSWER = 0;

export class ApiError extends Error {
  constructor(status, detail, retryAfter = null) {
    super(detail);
    this.name = "ApiError";
    this.status = status;
    this.detail = detail;
    this.retryAfter = retryAfter; // seconds
  }

  /** Whether the same request may succeed later. */
  get isPassing() {
    return this.status === NO_ANSWER || this.status === 429 || this.status >= 500;
  }
}

export const key = {
  get: () => session.get(KEY) ?? device.get(KEY),
  /** Whether a text can be a key: visible ASCII, as a header needs it. */
  isPossible: (text) => /^[\x21-\x7e]{1,256}$/.test(text),
  set(text, onDevice) {
    session.set(KEY, text);
    if (onDevice) device.set(KEY, text);
    else device.remove(KEY);
  },
};

/** The decoded answer of a route, such as get(["fleet"], {limit: 50}). */
export async function get(parts, parameters = {}, signal = undefined) {
  const answer = await request(parts, parameters, {}, signal);
  return decoded(answer);
}

/** The text of a route that answers HTML. */
export async function getText(parts, signal = undefined) {
  const answer = await request(parts, {}, {}, signal);
  return answer.text();
}

/** Write a record; sent twice with the same idempotency key it is written once. */
export async function postRecord(zoneId, equipId, body, idempotencyKey) {
  const headers = { "content-type": "application/json", "idempotency-key": idempotencyKey };
  const options = { method: "POST", headers, body: JSON.stringify(body) };
  return decoded(await request(["machines", zoneId, equipId, "records"], {}, options));
}

async function request(parts, parameters, options, signal) {
  const url = new URL(parts.map(encodeURIComponent).join("/"), ROOT);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  const headers = new Headers(options.headers);
  if (key.get()) headers.set("x-api-key", key.get());
  const limits = [AbortSignal.timeout(SECONDS * 1000), ...(signal ? [signal] : [])];
  let answer;
  try {
    answer = await fetch(url, { ...options, headers, cache: "no-store", credentials: "omit", signal: AbortSignal.any(limits) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(NO_ANSWER, String(error.message));
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function decoded(answer) {
  try {
    return await answer.json();
  } catch {
    throw new ApiError(NO_ANSWER, "the answer ended early");
  }
}

async function refusal(answer) {
  const body = await answer.json().catch(() => null);
  const detail = typeof body?.detail === "string" ? body.detail : answer.statusText;
  const seconds = Number(answer.headers.get("retry-after"));
  return new ApiError(answer.status, detail, seconds > 0 ? seconds : null);
}
