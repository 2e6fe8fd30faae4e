// The one place where Asio's separately compiled TLS is built; the rest of Asio is in
// http/boost_impl.cc.
#include <boost/asio/ssl/impl/src.hpp>
