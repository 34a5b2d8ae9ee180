// Boost.JSON's implementation, compiled once with our own options: of Debian's archive, which is
// one object, a program that uses any of it carries all, 0.1 MB of it unused.
#include <boost/json/src.hpp>
