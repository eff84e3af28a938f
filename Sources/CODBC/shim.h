#pragma once

// ODBC, with the constants that Swift cannot read because they are expressions or casts.

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

static const SQLSMALLINT JODBC_C_BIGINT = SQL_C_SBIGINT;
static const SQLSMALLINT JODBC_C_TEXT = SQL_C_WCHAR;
static const SQLSMALLINT JODBC_C_BYTES = SQL_C_BINARY;
static const SQLSMALLINT JODBC_C_ASCII = SQL_C_CHAR;
static const SQLSMALLINT JODBC_C_DOUBLE = SQL_C_DOUBLE;
static const SQLSMALLINT JODBC_C_FLOAT = SQL_C_FLOAT;
static const SQLSMALLINT JODBC_C_BIT = SQL_C_BIT;
static const SQLSMALLINT JODBC_C_DATE = SQL_C_TYPE_DATE;
static const SQLSMALLINT JODBC_C_TIMESTAMP = SQL_C_TYPE_TIMESTAMP;

// The value of an attribute that is a number, in the pointer ODBC wants it in.
static inline SQLPOINTER jodbc_number(SQLULEN value) { return (SQLPOINTER)value; }
