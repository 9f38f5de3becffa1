"""Reads sales.csv, prints what sold where, writes report.csv and draws two charts.

    ./cove run examples/sales_report.py --file examples/sales.csv --out out/
"""

import matplotlib.pyplot as plt
import pandas as pd

sales = pd.read_csv("sales.csv", parse_dates=["date"])
sales["region"] = sales["region"].fillna("unknown")
sales = sales[sales["returned"] == "no"]
sales["revenue"] = sales["unit_price"] * sales["quantity"] * (1 - sales["discount"])

report = (
    sales.groupby(["region", "category"])
    .agg(orders=("order_id", "count"), units=("quantity", "sum"), revenue=("revenue", "sum"))
    .round({"revenue": 2})
    .sort_values("revenue", ascending=False)
)
print(f"{len(sales)} orders, {sales['revenue'].sum():,.2f} in revenue\n")
print(report.to_string())
report.to_csv("report.csv")

# A chart saved as a file comes back as that file …
by_month = sales.groupby([sales["date"].dt.strftime("%Y-%m"), "category"])["revenue"].sum().unstack()
axes = by_month.plot.bar(stacked=True, figsize=(8, 4.5), title="Revenue by month")
axes.set_xlabel("")
plt.tight_layout()
plt.savefig("revenue_by_month.png", dpi=120)
plt.close()

# … and one that is left open comes back as a figure.
top = sales.groupby("product")["revenue"].sum().nlargest(6).sort_values()
top.plot.barh(figsize=(8, 4.5), title="Best sellers")
plt.tight_layout()
