"""Starting namespaces that several tasks share."""

# ruff: noqa: E501  (a line of code within a task is easier read whole)

SALES = """\
import pandas as pd
sales = pd.DataFrame({
    'Order Date': ['2024-01-05', '2024-01-17', '2024-02-02', '2024-02-20', '2024-02-21', '2024-03-03', '2024-03-15', '2024-03-30'],
    'Region': ['North', 'South', 'North', 'East', 'South', 'East', 'North', 'South'],
    'Product': ['Lamp', 'Desk', 'Chair', 'Lamp', 'Chair', 'Desk', 'Desk', 'Lamp'],
    'units': [3, 1, 4, 2, 6, 1, 2, 5],
    'Unit Price': [20.0, 150.0, 45.0, 20.0, 45.0, 150.0, 150.0, 20.0],
})"""

PATIENTS = """\
import pandas as pd
import numpy as np
patients = pd.DataFrame({
    'patient_id': [101, 102, 103, 104, 105, 106, 107],
    'Name': ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gus'],
    'sex': ['F', 'M', 'F', 'M', 'F', 'M', 'M'],
    'age': [34, 51, np.nan, 29, 62, 45, np.nan],
    'Weight (kg)': [61.5, 88.0, 70.2, np.nan, 66.0, 79.3, 95.1],
    'ward': ['A', 'B', 'A', 'C', 'B', 'B', 'C'],
})"""

STUDENTS = """\
import pandas as pd
students = pd.DataFrame({
    'name': ['Mia', 'Noah', 'Liam', 'Emma', 'Olga', 'Paul'],
    'class': ['10a', '10b', '10a', '10b', '10a', '10b'],
    'math': [78, 92, 55, 88, 67, 40],
    'physics': [81, 85, 60, 94, 72, 51],
})"""

CITIES = """\
import pandas as pd
cities = pd.DataFrame({
    'City ': [' berlin', 'Paris', 'MADRID ', 'paris', 'Berlin', 'Rome'],
    'Visitors': ['1,200', '3,400', '800', '2,100', '950', '1,750'],
    'year': [2022, 2022, 2023, 2023, 2023, 2022],
})"""
