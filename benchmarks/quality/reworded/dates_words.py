"""The date tasks in other words."""

WORDS: dict[str, tuple[str, ...]] = {
    "dates-01": ("number of days from start to end",),
    "dates-02": ("name of the day of the week of end, in English",),
    "dates-03": ("mondays = every Monday between start and end, both included",),
    "dates-04": ("parse visits.when (dd.mm.yyyy hh:mm) into datetime, in place",),
    "dates-05": ("sum the units for each month of Order Date",),
    "dates-06": ("show all sales of Feb 2024",),
    "dates-07": ("on what date were steps highest",),
    "dates-08": ("mean of steps by day of the week", "mean steps of Saturdays and Sundays together"),
    "dates-09": (
        "change Order Date of sales from text to datetime",
        "earliest and latest Order Date",
        "difference in days?",
    ),
    "dates-10": ("sum of steps by month", "use the average"),
    "dates-11": ("start plus 45 days", "start minus 45 days"),
    "dates-12": ("age in completed years of everybody on 1 June 2024", "name of the youngest"),
}
